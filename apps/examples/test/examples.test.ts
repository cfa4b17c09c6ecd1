import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { removeRun, runExample } from "./run-example.js";

/** Each example, and what its output has to show for its use to be shown. */
const EXAMPLES: Readonly<Record<string, readonly RegExp[]>> = {
  stream: [/→ LS/, /→ Read/, /The answer is in the notes\./, /^success after \d+ ms$/m],
  "fire-and-forget": [/not connected any more/, /answer: [\s\S]*All done\./],
  "multi-turn": [/you {4}recall/, /agent {2}says .*favourite number is 42/],
  "resume-and-interrupt": [/first {3}end {4}interrupted/, /second {2}says .*count 1000 every 20/],
  "two-sessions": [/red .*red is done/, /blue .*blue is done/],
  "permission-handler": [/asked {2}Create: yes/, /asked {2}Execute: no/, /hello\.txt holds: Hello, world\./],
  "ask-user": [/asked {2}Which colour\? red or green or blue: blue/, /You chose blue\./],
  abort: [/stopped after \d deltas: five are enough/, /success: Ready for more\./],
  "relay-agents": [
    /Lead spawned Ben as process \d+/,
    /Ann counted 4 in "the quick brown fox"/,
    /Ben counted 2 in "jumps over"/,
    /together: 14 words/,
    /Lead released Ben/,
  ],
  "over-tcp": [/gateway {2}tool {3}Read/, /gateway {2}end {4}success/],
  "over-stdio": [/remote {2}tool {3}Read/, /remote {2}end {4}success/],
  "over-message-port": [/worker {2}tool {3}Read/, /worker {2}end {4}success/],
  computer: [/my-laptop {2}tool {3}Read/, /the relay forwarded \d+ messages/],
};

/** What the programs share; and the demos and the agent, which have tests of their own. */
const NOT_EXAMPLES = [
  "demo",
  "echo-agent",
  "fleet-demo",
  "loopback-relay",
  "print-event",
  "processes",
  "scratch",
  "stdio-bridge",
];

const SRC = join(dirname(dirname(fileURLToPath(import.meta.url))), "src");

test("every program of the folder is in the table", () => {
  const programs = readdirSync(SRC).filter((name) => name.endsWith(".ts"));
  const names = programs.map((name) => name.slice(0, -".ts".length)).filter((name) => !NOT_EXAMPLES.includes(name));
  expect(new Set(Object.keys(EXAMPLES))).toEqual(new Set(names));
});

describe.each(Object.entries(EXAMPLES))("%s", (name, expected) => {
  test("shows its use, ends by itself, and leaves neither process nor file", async () => {
    const run = await runExample(name);
    try {
      expect(run.exitCode, run.output).toBe(0);
      for (const pattern of expected) expect(run.output).toMatch(pattern);
      expect(run.leftProcesses, run.output).toEqual([]);
      expect(run.leftFiles).toEqual([]);
    } finally {
      removeRun(run);
    }
  });
});
