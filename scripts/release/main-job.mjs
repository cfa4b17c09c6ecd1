/**
 * `node main-job.mjs import|require`, copied into a folder with `client` and `local-daemon` installed: starts the daemon of
 * DAEMON_SDK_HOME, makes a session with the embedded agent, runs one prompt and closes. The daemon goes on running.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [format] = process.argv.slice(2);
const name = "@daemon-sdk/client";
const { connectDaemon } = format === "require" ? createRequire(import.meta.url)(name) : await import(name);

const connection = await connectDaemon();
try {
  const session = await connection.createSession({ cwd: process.cwd() });
  const types = new Set();
  let result;
  for await (const event of session.stream("list", { includePartialMessages: true })) {
    types.add(event.type);
    if (event.type === "result") result = event;
  }
  assert.equal(result?.subtype, "success");
  assert.match(result.text, /main-job\.mjs/, "The agent lists the folder that it was started in.");
  console.log(`${format}: ${[...types].join(", ")}`);
  await session.close();
} finally {
  await connection.close();
}
