import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connectDaemon, type DaemonConnection, type DaemonSession, type DroidStreamEvent } from "@daemon-sdk/client";
import { METHODS } from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS } from "@daemon-sdk/protocol/schema";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ended } from "../support/daemon-home.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { hostileAgents } from "../support/hostile-agent.js";
import { runParts } from "../support/parts.js";
import { type Frame, RawClient } from "../support/raw-client.js";
import { stringPlaces } from "../support/schema-strings.js";

const MIB = 2 ** 20;
const FRAME_BYTES = 16 * MIB;
const KEY = "fk-a-key-that-stays-the-same";
const NOWHERE = "6f1c1d5e-0000-4000-8000-000000000000";
const HANGS_MS = 60_000;
/** What a sample has of the many places. */
const SAMPLE_SHARE = 0.03;
const INVALID_PARAMS = -32602;

/** Z1: whatever is too large, on every way into the daemon and out of it. */
export const oversizeScenarios: readonly FaultScenario[] = [
  {
    id: "Z1",
    title: "what is too large is refused to its sender by name and number, and no other session is affected",
    isQuick: true,
    limitMs: 900_000,
    async run(context) {
      const patience = HANGS_MS * 4 * Math.min(2, context.slowness);
      const wanted = Object.entries(PARTS).filter(([name]) => !context.isSample || !SLOW.has(name));
      const parts = wanted.map(([name, part]) => [name, () => within(patience, part(context))] as const);
      return await runParts(Object.fromEntries(parts));
    },
  },
];

const PARTS: Readonly<Record<string, (context: FaultContext) => Promise<string>>> = {
  strings: everyString,
  entries: everyEntry,
  requests: tooLargeCalls,
  answers: largeAnswers,
  history: longHistory,
};

/** What takes too long for a sample. */
const SLOW: ReadonlySet<string> = new Set(["answers", "history"]);

/** Fields that stand beside the one in question. About a session that does not exist: no agent starts. */
const GOOD: Readonly<Record<string, unknown>> = {
  token: "t",
  caller: "faults",
  machineId: "m",
  sessionId: NOWHERE,
  cwd: "/no/such/directory",
  text: "x",
  messageId: NOWHERE,
  after: { epoch: 1, seq: 1 },
  credit: { events: 1, bytes: 1 },
};
/** What ends a connection, what only a daemon sends, and what has a connection of its own for each refusal. */
const LEFT_OUT = new Set(["logout", "request_permission", "ask_user", "authenticate"]);
/** Bounded by the message that carries them. */
const UNBOUNDED = /^add_user_message (text|images\[\]\.data|files\[\]\.(data|parsedData)|.*\{\})$/;
/** Longer than every string may be, and shorter than every call. */
const LONG = 1.5 * MIB;

/** Every string of every method's params: over its bound it is refused by number, at its bound it is not. */
async function everyString(context: FaultContext): Promise<string> {
  await using daemon = await startForeground();
  using bystander = await RawClient.connect(daemon.url, daemon.token);
  using client = await RawClient.connect(daemon.url, daemon.token);
  const wrong: string[] = [];
  let places = 0;
  for (const [key, { name }] of Object.entries(METHODS)) {
    if (LEFT_OUT.has(name)) continue;
    for (const { path, params } of stringPlaces(METHOD_SCHEMAS[key as keyof typeof METHODS].params, GOOD)) {
      // The long strings cost time: a sample has one place in ten.
      if (context.isSample && context.random() > SAMPLE_SHARE) continue;
      places += 1;
      const what = `${name} ${path}`;
      const call = (chars: number) => client.call(name, params("x".repeat(chars)));
      wrong.push(...(await atItsBound(what, call)));
      assert.equal((await bystander.call("ping", {})).error, undefined, what);
    }
  }
  assert.deepEqual(wrong, [], `${wrong.length} of ${places} strings`);
  return `${places} strings of all methods refused past their bound, and taken at it`;
}

async function atItsBound(what: string, call: (chars: number) => Promise<Frame>): Promise<string[]> {
  const { error } = await call(LONG);
  assert.notEqual(error?.code, 0, `${what}: the connection was closed`);
  const bound = error?.code === INVALID_PARAMS ? boundIn(error.message) : undefined;
  if (bound === undefined)
    return UNBOUNDED.test(what) ? [] : [`${what}: ${error?.code} ${error?.message.slice(0, 60)}`];
  const [at, past] = [await call(bound), await call(bound + 1)];
  const isTaken = at.error?.code !== INVALID_PARAMS || boundIn(at.error.message) === undefined;
  const isRefused = past.error?.code === INVALID_PARAMS && boundIn(past.error.message) === bound;
  // The bound of a whole value, as JSON, is reached before that of the string in it.
  const isWhole = /Json/.test(error?.message ?? "");
  return (isTaken || isWhole) && isRefused
    ? []
    : [`${what}: at ${bound} ${at.error?.message}, past it ${past.error?.message}`];
}

/** The bound that a refusal names. */
function boundIn(message: string): number | undefined {
  const match = /(\d+) are the limit|at most (\d+)|limit is (\d+)/.exec(message);
  return match === null ? undefined : Number(match[1] ?? match[2] ?? match[3]);
}

/** What an agent writes, around every bound and far over it. */
const ENTRIES: Readonly<Record<string, readonly number[]>> = {
  line: [
    FRAME_BYTES / 2,
    FRAME_BYTES - 65_536,
    FRAME_BYTES - 512,
    FRAME_BYTES - 150,
    FRAME_BYTES,
    FRAME_BYTES + 1,
    33 * MIB,
  ],
  tool: [FRAME_BYTES / 2, FRAME_BYTES - 65_536, FRAME_BYTES - 512, FRAME_BYTES, 33 * MIB],
  "ask 1": [FRAME_BYTES / 4, FRAME_BYTES - 512, FRAME_BYTES, 33 * MIB],
  title: [1_001, FRAME_BYTES - 512, FRAME_BYTES],
};

async function everyEntry(context: FaultContext): Promise<string> {
  await using desk = await Desk.open();
  let entries = 0;
  for (const [command, sizes] of Object.entries(ENTRIES)) {
    for (const size of sizes) {
      if (context.isSample && context.random() > SAMPLE_SHARE) continue;
      entries += 1;
      await oneEntry(desk, `${command} ${size}`, size);
    }
  }
  for (const prefix of ["bom", "glue"]) {
    const { result, notices } = await desk.turn(`${prefix}\nline 10\nthe answer`);
    const isWhole = result?.subtype === "success" && result.text === "the answer";
    assert.ok(isWhole || notices.length > 0, `${prefix} before a frame: ${result?.subtype} "${result?.text}"`);
  }
  return `${entries} entries up to 33 MiB: each told whole, or cut or refused with a notice; no link lost`;
}

async function oneEntry(desk: Desk, prompt: string, size: number): Promise<void> {
  const { result, notices, chars } = await desk.turn(prompt);
  assert.ok(result !== undefined, `${prompt}: the turn ends`);
  const isWhole = prompt.startsWith("line") ? chars >= size : size < FRAME_BYTES / 2 + 1;
  assert.ok(
    isWhole || notices.includes("MESSAGE_TOO_LARGE") || result.subtype !== "success",
    `${prompt}: it is silent`,
  );
  if (prompt.startsWith("ask") && !isWhole) assert.match(result.text, /error|cancel/, `${prompt}: the agent is told`);
  await desk.isUntouched(prompt);
}

/** Calls that the client cannot send fail there, and nothing else of their link does. */
async function tooLargeCalls(context: FaultContext): Promise<string> {
  await using desk = await Desk.open();
  const text = "x".repeat(17 * MIB);
  const image = { type: "base64", mediaType: "image/png", data: text } as const;
  const { session, connection } = desk;
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    send: () => session.send(text),
    stream: () => desk.turn(text),
    "an image": () => session.send("x", { images: [image] }),
    "a title": () => session.rename(text),
    "a search": () => connection.searchSessions({ query: text }),
    "a directory": () => connection.createSession({ cwd: text }),
  };
  const tried = context.some(Object.entries(calls), 2);
  for (const [name, call] of tried) {
    const around = desk.isUntouched(name);
    const error: unknown = await call().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof Error, `${name} of 17 MiB is refused`);
    const { code, retryable } = error as Error & { code?: string; retryable?: boolean };
    assert.match(String(code), /^(MESSAGE_TOO_LARGE|INVALID_OPTION|INVALID_PARAMS)$/, name);
    assert.equal(retryable, false, name);
    await around;
  }
  return `${tried.length} calls of 17 MiB refused before they were sent`;
}

/** Answers that would be larger than a frame. */
async function largeAnswers(): Promise<string> {
  await using desk = await Desk.open();
  const { connection } = desk;
  const queued = await connection.createSession({ cwd: desk.workspace });
  await queued.send("hang");
  for (let count = 0; count < 3; count += 1) {
    // As many as the daemon takes; one that it refuses is none that it has to give.
    await queued.send("q".repeat(8 * MIB)).catch((error: unknown) => assert.match(codeOf(error), /QUEUE|LARGE|FULL/));
  }
  const asking = await connection.createSession({ cwd: desk.workspace });
  await asking.send(`ask 4 ${5_000_000}`);
  const titled = await connection.createSession({ cwd: desk.workspace });
  await desk.turn(`title ${9 * MIB}`, titled);
  const talkative = await connection.createSession({ cwd: desk.workspace });
  await desk.turn(`messages 30 ${MIB}`, talkative);
  await desk.turn(`messages 3 ${FRAME_BYTES - 2_000}`, talkative);
  const calls: Readonly<Record<string, (other: DaemonConnection) => Promise<unknown>>> = {
    "a session with 24 MiB of prompts": (other) => other.resumeSession(queued.sessionId),
    "a session that asks 20 MB": (other) => other.resumeSession(asking.sessionId),
    "a session of 80 MiB": (other) => other.resumeSession(talkative.sessionId, { loadAllMessages: true }),
    "a page of messages": (other) => other.getSessionMessages(talkative.sessionId, { limit: 100 }),
    "the list of sessions": (other) => other.listAvailableSessions({ limit: 100 }),
    "the list of requests": (other) => other.listRequests(),
    "opened sessions": (other) => other.listOpenedSessions(),
  };
  for (const [name, call] of Object.entries(calls)) {
    const other = await desk.connect();
    await within(HANGS_MS, call(other)).catch((error: unknown) => {
      assert.equal(codeOf(error), "MESSAGE_TOO_LARGE", `${name}: ${String(error)}`);
    });
    await desk.isUntouched(name);
  }
  return `${Object.keys(calls).length} answers over 16 MiB paged or refused alone`;
}

/** A conversation of screenshots is loaded, goes on and is forked, whoever was started anew meanwhile. */
async function longHistory(): Promise<string> {
  const config = { apiKeys: [KEY] };
  await using first = await startForeground({ config });
  const image = { type: "base64", mediaType: "image/png", data: randomBytes(MIB).toString("base64") } as const;
  const sessionId = crypto.randomUUID();
  {
    await using connection = await connectDaemon({ url: first.url, apiKey: KEY });
    const session = await connection.createSession({ cwd: first.workspace, sessionId });
    for (let count = 0; count < 14; count += 1) assert.equal(await said(session, `say ${count}`, [image]), `${count}`);
  }
  await ended(first.pid, "SIGKILL");
  await using second = await restarted(first, config);
  await using connection = await connectDaemon({ url: second.url, apiKey: KEY });
  const session = await connection.resumeSession(sessionId);
  assert.equal(await said(session, "say again"), "again");
  const { newSessionId } = await session.fork();
  const fork = await connection.resumeSession(newSessionId);
  assert.equal(await said(fork, "say forked"), "forked");
  assert.equal(await said(session, "say on", [image]), "on");
  return "a conversation of 20 MiB goes on after a restart, and is forked";
}

async function said(session: DaemonSession, prompt: string, images: Images = []): Promise<string> {
  for await (const event of session.stream(prompt, { images: [...images] })) {
    if (event.type === "result")
      return event.subtype === "success" ? event.text : `${event.subtype} ${event.error?.message}`;
  }
  return "no result";
}
type Images = NonNullable<NonNullable<Parameters<DaemonSession["stream"]>[1]>["images"]>;

/** The daemon again in its state directory; it only has to be stopped. */
async function restarted({ stateDir }: ForegroundDaemon, config: object) {
  const daemon = await startForeground({ stateDir, config });
  return { url: daemon.url, [Symbol.asyncDispose]: () => daemon.stop() };
}

function codeOf(error: unknown): string {
  return String(Reflect.get(Object(error), "code"));
}

/** What is told of a turn. */
interface Told {
  readonly result: Extract<DroidStreamEvent, { type: "result" }> | undefined;
  /** Codes of notices. */
  readonly notices: readonly string[];
  /** Characters of deltas. */
  readonly chars: number;
}

/** A daemon with the hostile agent, a client whose link must not be lost, and two sessions on it: one of them is only there. */
class Desk implements AsyncDisposable {
  readonly connection: DaemonConnection;
  readonly session: DaemonSession;
  readonly #bystander: DaemonSession;
  readonly #daemon: ForegroundDaemon;
  readonly #lost: string[];
  readonly #others: DaemonConnection[] = [];

  private constructor(
    daemon: ForegroundDaemon,
    parts: { connection: DaemonConnection; session: DaemonSession; bystander: DaemonSession; lost: string[] },
  ) {
    this.#daemon = daemon;
    this.connection = parts.connection;
    this.session = parts.session;
    this.#bystander = parts.bystander;
    this.#lost = parts.lost;
  }

  static async open(): Promise<Desk> {
    const daemon = await startForeground({ config: hostileAgents() });
    const lost: string[] = [];
    const connection = await connectDaemon({
      url: daemon.url,
      token: daemon.token,
      permissionHandler: () => "proceed_once",
      onStatus: ({ type }) => type !== "connected" && lost.push(type),
    });
    lost.length = 0;
    const open = () => connection.createSession({ cwd: daemon.workspace });
    return new Desk(daemon, { connection, session: await open(), bystander: await open(), lost });
  }

  get workspace(): string {
    return this.#daemon.workspace;
  }

  /** Another client, which answers nothing and comes back by itself when its link is lost. */
  async connect(): Promise<DaemonConnection> {
    const note = ({ type }: { readonly type: string }) => type !== "connected" && this.#lost.push(type);
    const other = await connectDaemon({ url: this.#daemon.url, token: this.#daemon.token, onStatus: note });
    this.#lost.length = 0;
    this.#others.push(other);
    return other;
  }

  async turn(prompt: string, session = this.session): Promise<Told> {
    const notices: string[] = [];
    let chars = 0;
    const read = async (): Promise<Told> => {
      for await (const event of session.stream(prompt, { includePartialMessages: true })) {
        if (event.type === "assistant_text_delta") chars += event.text.length;
        if (event.type === "session_notice") notices.push(event.code);
        if (event.type === "result") return { result: event, notices, chars };
      }
      return { result: undefined, notices, chars };
    };
    return await within(HANGS_MS, read());
  }

  /** Throws unless the other session works, and no link was lost. */
  async isUntouched(by: string): Promise<void> {
    const { result } = await this.turn("still here", this.#bystander);
    assert.equal(result?.text, "still here", `another session after ${by}`);
    assert.deepEqual(this.#lost, [], `links lost by ${by}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#others) await other.close();
    await this.connection.close();
    await this.#daemon[Symbol.asyncDispose]();
  }
}
