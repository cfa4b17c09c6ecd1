/**
 * A program with a daemon inside and no state directory: `node program.cjs <agent script> <how it ends>`. Three agents of it run when
 * it writes its line: one that ignores the end of its stdin and SIGTERM, one with a child, one whose child is in a session of its own.
 */
import { memoryTransport } from "@daemon-sdk/protocol";
import { createDaemon, PERSON } from "../../src/server.js";
import { TestClient } from "../sessions/harness.js";

const [script = "", ending = ""] = process.argv.slice(2);

const ENDINGS: Record<string, () => void> = {
  exit: () => process.exit(3),
  throws: () => {
    throw new TypeError("a fault of the program");
  },
};

async function main(): Promise<void> {
  const daemon = await createDaemon({
    stateDir: false,
    agents: { bad: { command: [process.execPath, script, "well"] } },
    defaultAgent: "bad",
  });
  const { near, far } = memoryTransport();
  const client = new TestClient(near);
  await daemon.accept(far, PERSON);
  for (const text of ["deaf", "child", "setsid"]) {
    await client.createSession(text, { cwd: "/" });
    await client.call("add_user_message", { sessionId: text, text, messageId: text });
    await client.when(() => client.notifications(text).some(({ type }) => type === "assistant_text_delta"));
  }
  process.stdout.write(`${daemon.endpoint.instanceId}\n`);
  if (ending === "close") await daemon.close({ drainMs: 0 });
  else if (ending !== "") setImmediate(() => ENDINGS[ending]?.());
}

void main();
