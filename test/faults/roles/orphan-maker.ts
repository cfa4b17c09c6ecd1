import { connectDaemon } from "@daemon-sdk/client";
import { endWithScenario, say } from "./role.js";

/**
 * A client that has the local daemon started and lets its agents start processes of their own, one of them in a session of its own
 * (`setsid`), until somebody is killed. Whatever fails here fails because of that.
 */
export async function playOrphanMaker([cwd = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  process.on("unhandledRejection", () => {});
  say({ ready: true });
  // No stack of it in the scenario's output: it was meant to happen.
  await makeOrphans(cwd).catch(() => process.exit(1));
}

async function makeOrphans(cwd: string): Promise<void> {
  const connection = await connectDaemon({ reconnect: false });
  for (const prompt of ["setsid", "child"]) {
    const session = await connection.createSession({ cwd });
    session.onNotification(({ textDelta }) => textDelta !== undefined && say({ prompt }));
    await session.send(prompt);
  }
}
