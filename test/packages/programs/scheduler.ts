/** Runs the job that is due at a time: `scheduler <time>`. Prints the receipt. */
import { connectDaemon } from "@daemon-sdk/client";

const run = `nightly:${process.argv[2]}`;
const connection = await connectDaemon();
const session = await connection.createSession({ sessionId: run, cwd: process.cwd(), autonomyLevel: "medium" });
const { messageId } = await session.send("append runs.txt: ran\\n", { messageId: run });
await session.detach();
const { state, endedAt } = await connection.waitForReceipt(run, messageId);
console.log(JSON.stringify({ state, endedAt }));
await connection.close();
