import { CloseCode, type DaemonCapabilities } from "@daemon-sdk/protocol";
import { FakeClock } from "../../clock/index.js";
import { type DaemonHarness, type DaemonPrompts, type DaemonRestart, daemonHarness } from "../../contract/index.js";
import type { FakePrompt } from "../script/index.js";
import { FakeDaemon } from "./fake-daemon.js";

/** Options of {@link fakeDaemonHarness}. */
export interface FakeDaemonHarnessOptions {
  /** Capabilities of the fake daemon. Default: all. */
  readonly capabilities?: DaemonCapabilities;
  /** Changes the harness, such as its connections, before its capabilities are requested. */
  readonly wrap?: (harness: Omit<DaemonHarness, "offers">) => Omit<DaemonHarness, "offers">;
  /** Abilities that `wrap` adds and no capability expresses, such as `deadlines`; see `daemonHarness`. */
  readonly offers?: readonly string[];
  /** Default 5 000. */
  readonly patienceMs?: number;
}

const PROMPTS: DaemonPrompts = {
  say: (word) => `say ${word}`,
  stream: (events) => `stream ${events}`,
  endless: "endless",
  permission: "permission",
  question: "question",
  die: "die",
};

const CREDENTIAL = "credential-of-the-fake-daemon";
/** Bytes of prompts that wait: a few prompts of a case fill it. */
const QUEUED_BYTES = 64 * 1024;
const KEYS = ["first-key-of-the-fake-daemon", "second-key-of-the-fake-daemon"] as const;

/** A harness of the daemon contract for a `FakeDaemon` with matching scripts. */
export function fakeDaemonHarness(options: FakeDaemonHarnessOptions = {}): DaemonHarness {
  const { capabilities } = options;
  const clock = new FakeClock();
  const daemon = new FakeDaemon({
    credential: CREDENTIAL,
    keys: KEYS,
    queuedBytes: QUEUED_BYTES,
    clock,
    ...(capabilities ? { capabilities } : {}),
  });
  daemon.onPrompt(play);
  const harness = {
    connect: () => daemon.dial({ url: "memory:", signal: new AbortController().signal }),
    credential: { token: CREDENTIAL },
    keys: [{ apiKey: KEYS[0] }, { apiKey: KEYS[1] }] as const,
    queuedBytes: QUEUED_BYTES,
    prompts: PROMPTS,
    passTime: (ms: number) => clock.advance(ms),
    prune: (sessionId: string) => daemon.sessions.get(sessionId)?.journal.prune(),
    restart: (how: DaemonRestart) => restart(daemon, how),
    ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
  };
  return daemonHarness(options.wrap?.(harness) ?? harness, options.offers);
}

/** Restarts a daemon. A polite stop notifies the connections first. */
async function restart(daemon: FakeDaemon, how: DaemonRestart): Promise<void> {
  if (how === "asked") daemon.closeConnections(CloseCode.goingAway);
  while (how === "asked" && daemon.connections > 0) await Promise.resolve();
  daemon.restart();
}

async function play(prompt: FakePrompt): Promise<void> {
  const [command = "", argument = ""] = prompt.text.split(" ");
  await SCRIPT.get(command)?.(prompt, argument);
  if (!prompt.isEnded) prompt.message();
}

const SCRIPT: ReadonlyMap<string, (prompt: FakePrompt, argument: string) => void | Promise<void>> = new Map([
  ["say", (prompt: FakePrompt, word: string) => prompt.delta(word)],
  ["stream", stream],
  ["endless", endless],
  ["permission", askPermission],
  ["question", askQuestion],
  ["die", (prompt: FakePrompt) => prompt.end("agent_exited")],
]);

/** After this many pieces the script yields to the event loop, as with an agent behind a pipe. */
const PIECES_AT_ONCE = 16;

async function stream(prompt: FakePrompt, count: string): Promise<void> {
  for (let piece = 1; piece <= Number(count); piece++) {
    prompt.delta(`${piece} `);
    if (piece % PIECES_AT_ONCE === 0) await Promise.resolve();
  }
}

async function endless(prompt: FakePrompt): Promise<void> {
  prompt.delta("It begins. ");
  if (prompt.signal.aborted) return;
  await new Promise<void>((resolve) => prompt.signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function askPermission(prompt: FakePrompt): Promise<void> {
  const input = { command: "true" };
  const id = prompt.toolCall("Execute", input);
  const toolUse = { type: "tool_use", id, name: "Execute", input } as const;
  const details = { type: "exec", fullCommand: "true", command: "true" } as const;
  const { selectedOption } = await prompt.askPermission({ toolUses: [{ toolUse, confirmationType: "exec", details }] });
  prompt.toolResult(id, selectedOption, selectedOption === "cancel");
  prompt.delta(`You chose ${selectedOption}.`);
}

async function askQuestion(prompt: FakePrompt): Promise<void> {
  const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }];
  const { answers } = await prompt.askUser({ questions });
  prompt.delta(`You chose ${answers[0]?.answer ?? "nothing"}.`);
}
