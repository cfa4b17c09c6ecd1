/** A scheduler: `automation jobs.json`. Any number of them may run the same jobs; each run happens once. */
import { readFileSync } from "node:fs";
import { connectDaemon, type Receipt } from "@daemon-sdk/client";
import { Cron } from "croner";

/** One entry of the file. */
interface Job {
  readonly name: string;
  /** A cron pattern, in UTC; with six fields the first one is the second. */
  readonly schedule: string;
  readonly prompt: string;
  readonly cwd: string;
  readonly timeLimitMs: number;
}

const jobs = JSON.parse(readFileSync(process.argv[2] ?? "jobs.json", "utf8")) as Job[];

// #region sample
// Nobody is there to ask: what the autonomy of a run does not cover is refused.
const connection = await connectDaemon({
  permissionHandler: () => "cancel",
  askUserHandler: () => ({ cancelled: true }),
});

/** Runs a job for one time of its schedule. Two schedulers make the same ids of that time: one session, one turn. */
async function run(job: Job, dueAt: Date): Promise<Receipt> {
  const id = `${job.name}:${dueAt.toISOString()}`;
  const { cwd } = job;
  const sessionSource = { platform: "automation", job: job.name };
  const session = await connection.createSession({ sessionId: id, cwd, autonomyLevel: "medium", sessionSource });
  try {
    await session.send(job.prompt, { messageId: id });
    const limit = setTimeout(() => void session.interrupt(), job.timeLimitMs);
    return await session.waitForReceipt(id).finally(() => clearTimeout(limit));
  } finally {
    await session.detach();
  }
}
// #endregion sample

for (const job of jobs) {
  // The time that a run was due, and not when it began, which differs between two schedulers.
  let dueAt: Date | null = null;
  const cron = new Cron(job.schedule, { timezone: "UTC" }, async () => {
    const at = dueAt;
    dueAt = cron.nextRun();
    if (at === null) return;
    const { state, text } = await run(job, at);
    console.log(JSON.stringify({ job: job.name, at, state, text }));
  });
  dueAt = cron.nextRun();
}
console.log("scheduling");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A run that has begun goes on in the daemon.
  process.once(signal, () => process.exit(0));
}
await connection.closed;
process.exit(1);
