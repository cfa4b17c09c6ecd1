import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FakeAgent } from "../../fake/index.js";

/** Streams of a fake agent; default the stdin and stdout of this process. */
export interface FakeAgentStreams {
  readonly input?: Readable;
  readonly output?: Writable;
}

/**
 * Runs a fake agent as a program, which a daemon can start as its command. Resolves when stdin ends. A running turn is
 * not ended then, so that the program can exit.
 *
 * ```ts
 * const agent = new FakeAgent();
 * agent.whenPrompted().streams("Hello.");
 * await runFakeAgent(agent);
 * ```
 */
export async function runFakeAgent(agent: FakeAgent, streams: FakeAgentStreams = {}): Promise<void> {
  const { input = process.stdin, output = process.stdout } = streams;
  // The daemon may have ended: then its broken pipe is ignored.
  output.on("error", () => {});
  agent.onLine = (line) => void output.write(`${line}\n`);
  for await (const line of createInterface({ input })) agent.write(line);
}
