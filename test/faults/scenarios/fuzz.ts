import assert from "node:assert/strict";
import { METHODS } from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS } from "@daemon-sdk/protocol/schema";
import { startDaemonProcess } from "../../support/daemon-process.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { ENVELOPE, type Frame, RawClient } from "../support/raw-client.js";

const NOWHERE = "6f1c1d5e-0000-4000-8000-000000000000";
const SERVER_CODES = new Set([-32600, -32601, -32602, -32603, -32001, -32004, -32005]);
/** What ends the connection when its params are good, and what only a daemon sends. */
const LEFT_OUT = new Set(["logout", "request_permission", "ask_user"]);
const FLOOR_CALLS = 200;

/** Good params for every method; about a session that does not exist, so that no agent starts. */
const GOOD: Readonly<Record<string, unknown>> = {
  token: "t",
  caller: "faults",
  machineId: "m",
  sessionId: NOWHERE,
  cwd: "/no/such/directory",
  text: "x",
  messageId: NOWHERE,
  title: "x",
  query: "x",
  serverName: "s",
  settingsLevel: "user",
  enabled: true,
  filesToRestore: [],
  filesToDelete: [],
  forkTitle: "f",
  name: "n",
  type: "stdio",
  command: "true",
  after: { epoch: 1, seq: 1 },
  credit: { events: 1, bytes: 1 },
  messageIds: [NOWHERE],
  requestId: NOWHERE,
  result: {},
};

/** A hostile value, as JSON text: some of them cannot be written otherwise. */
const HOSTILE: readonly string[] = [
  "null",
  "7",
  '"text"',
  "{}",
  "[]",
  "true",
  "-0",
  "1e308",
  "1e999",
  '"\\ud800"',
  '"\\u0000"',
  JSON.stringify("x".repeat(2 ** 20)),
  JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_none, index) => [`k${index}`, index]))),
];
const MISSING = undefined;
const NOT_A_NUMBER = "NaN";

/** B3: every method of the wire, with every field of its params made hostile in turn. */
export const fuzzScenarios: readonly FaultScenario[] = [
  {
    id: "B3",
    title: "hostile params of any method are refused as its schema says, and the daemon goes on",
    isQuick: true,
    limitMs: 180_000,
    async run(context) {
      await using daemon = await startDaemonProcess();
      using client = await RawClient.connect(daemon.url, daemon.token);
      const floor = await medianOf(client, FLOOR_CALLS);
      const tally = { cases: 0, refused: 0, times: [] as number[] };
      for (const [key, method] of Object.entries(METHODS)) {
        if (LEFT_OUT.has(method.name)) continue;
        // The third refused credential ends a connection, so each gets one of its own.
        const dial = method.name === "authenticate" ? () => RawClient.dial(daemon.url) : undefined;
        await fuzzMethod(context, { client, dial }, key as keyof typeof METHODS, tally);
      }
      const median = quantile(tally.times, 0.5);
      assert.ok(median <= Math.max(1, 3 * floor) * context.slowness, `a refusal took ${round(median)} ms`);
      const { result } = await client.call("list_opened_sessions", {});
      assert.deepEqual(result?.sessions, []);
      const answered = `${tally.cases} cases, ${tally.refused} refused, 0 unanswered`;
      return `${answered}, median ${round(median)} ms (a good call ${round(floor)} ms)`;
    },
  },
];

/** The sender: one client for all cases, or a new one for each. */
interface Speaker {
  readonly client: RawClient;
  readonly dial: (() => Promise<RawClient>) | undefined;
}

interface Tally {
  cases: number;
  refused: number;
  times: number[];
}

async function fuzzMethod(
  context: FaultContext,
  { client, dial }: Speaker,
  key: keyof typeof METHODS,
  tally: Tally,
): Promise<void> {
  const fields = fieldsOf(key);
  for (const field of [...fields, "extra"]) {
    for (const value of [MISSING, NOT_A_NUMBER, ...HOSTILE]) {
      // The two large values cost a sample more than all others together.
      if (context.scale < 1 && value !== undefined && value.length > 10_000) continue;
      const own = await dial?.();
      await fuzzCase(own ?? client, key, { field, value, fields }, tally);
      own?.socket.terminate();
    }
  }
}

/** The fields of a method that {@link GOOD} has a value for, those that its schema knows. */
function fieldsOf(key: keyof typeof METHODS): string[] {
  const schema = METHOD_SCHEMAS[key].params as unknown as { _zod: { def: { shape?: object } } };
  const known = Object.keys(schema._zod.def.shape ?? GOOD);
  return known.filter((name) => name in GOOD);
}

interface Case {
  readonly field: string;
  readonly value: string | undefined;
  readonly fields: readonly string[];
}

async function fuzzCase(
  client: RawClient,
  key: keyof typeof METHODS,
  { field, value, fields }: Case,
  tally: Tally,
): Promise<void> {
  const { name } = METHODS[key];
  const parts = fields
    .filter((one) => one !== field)
    .map((one) => `${JSON.stringify(one)}:${JSON.stringify(GOOD[one])}`);
  if (value !== undefined) parts.push(`${JSON.stringify(field)}:${value}`);
  const params = `{${parts.join(",")}}`;
  const id = `fuzz-${tally.cases}`;
  const head = JSON.stringify({ ...ENVELOPE, type: "request", id, method: `daemon.${name}` }).slice(0, -1);
  tally.cases += 1;
  const started = performance.now();
  if (value === NOT_A_NUMBER) {
    // No JSON: nobody can know whose request it was.
    const refused = answerWithoutId(client);
    client.send(`${head},"params":${params}}`);
    assert.equal((await refused).error?.code, -32700);
  } else {
    const frame = await client.ask(id, `${head},"params":${params}}`);
    check(key, params, frame, `${name} with ${field} = ${String(value).slice(0, 40)}`);
  }
  tally.times.push(performance.now() - started);
  tally.refused += 1;
}

function check(key: keyof typeof METHODS, params: string, { error }: Frame, what: string): void {
  const isGood = METHOD_SCHEMAS[key].params.safeParse(JSON.parse(params)).success;
  if (error === undefined) {
    assert.ok(isGood, `${what} was accepted`);
    return;
  }
  assert.ok(SERVER_CODES.has(error.code), `${what} was answered with ${error.code}`);
  assert.ok(error.code !== -32603, `${what} failed inside: ${error.message}`);
  // Params for the agent are the agent's to check; the daemon says first that there is no such session.
  if (!isGood && error.code !== -32601) assert.ok(error.code === -32602 || error.code === -32004, what);
  assert.ok(error.message.length < 1_000, `${what} is repeated in the error`);
}

function answerWithoutId(client: RawClient): Promise<Frame> {
  return new Promise((resolve) => {
    client.onFrame = (frame) => {
      if (frame.id === null) resolve(frame);
    };
  });
}

async function medianOf(client: RawClient, calls: number): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const started = performance.now();
    await client.call("list_opened_sessions", {});
    times.push(performance.now() - started);
  }
  return quantile(times, 0.5);
}
