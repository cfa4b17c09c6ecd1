import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FakeAgent } from "../../fake/index.js";

/** Where a fake agent reads and writes; default the stdin and stdout of this process. */
export interface FakeAgentStreams {
  readonly input?: Readable;
  readonly output?: Writable;
}

/**
 * Runs a fake agent as a program that a daemon can be given as its command. Resolves when its stdin ends; what it was doing
 * then is left as it is, so the program can exit.
 *
 * ```ts
 * const agent = new FakeAgent();
 * agent.whenPrompted().streams("Hello.");
 * await runFakeAgent(agent);
 * ```
 */
export async function runFakeAgent(agent: FakeAgent, streams: FakeAgentStreams = {}): Promise<void> {
  const { input = process.stdin, output = process.stdout } = streams;
  // The daemon may be gone: then nobody is there to be told.
  output.on("error", () => {});
  agent.onLine = (line) => void output.write(`${line}\n`);
  for await (const line of createInterface({ input })) agent.write(line);
}
