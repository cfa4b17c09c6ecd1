/** A bot for one message: `bot <log> <message id> <text>`. What it posts is a line of the log, each once. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { connectDaemon, type DaemonSession, NO_ANSWER, SessionNotFoundError } from "@daemon-sdk/client";

const [log = "", messageId = "", text = ""] = process.argv.slice(2);
const sessionId = `bot:${messageId}`;

function postOnce(key: string, line: string): void {
  const posted = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
  if (!posted.some((known) => known.startsWith(`${key} `))) appendFileSync(log, `${key} ${line}\n`);
}

const connection = await connectDaemon({
  askUserHandler: async ({ requestId, questions }) => {
    postOnce(requestId, questions.map(({ question }) => question).join(" "));
    console.log("asked");
    return NO_ANSWER;
  },
});

async function open(): Promise<DaemonSession> {
  try {
    return await connection.resumeSession(sessionId);
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    return connection.createSession({ sessionId, cwd: process.cwd() });
  }
}

async function report(events: AsyncIterable<{ type: string }>): Promise<void> {
  for await (const { type } of events) if (type === "tool_call") console.log("working");
}

const session = await open();
void report(session.follow({ after: session.snapshot.position }));
await session.send(text, { messageId });
const { state, text: answer } = await session.waitForReceipt(messageId);
postOnce(messageId, `${state} ${answer}`);
await session.detach(); // Ends what is followed.
await connection.close();
