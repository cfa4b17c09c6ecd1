/**
 * The application that each bundler makes one file of: it finds or starts the local daemon and runs one turn. The daemon is found by
 * DAEMON_SDK_HOME.
 */
import { tmpdir } from "node:os";
import { connectDaemon } from "@daemon-sdk/client";

export async function main() {
  const connection = await connectDaemon();
  try {
    const { text } = await connection.run("say Hello from a bundle.", { cwd: tmpdir() });
    if (text !== "Hello from a bundle.") throw new TypeError(`The agent's answer was ${JSON.stringify(text)}.`);
    return "bundle: all well";
  } finally {
    await connection.close();
  }
}
