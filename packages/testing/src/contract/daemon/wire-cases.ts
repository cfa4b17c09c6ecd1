import { type GetMetricsResult, LIMITS, newId, TEXT_LIMITS } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../expectation.js";
import type { WireFrame } from "../wire-frame.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";
import type { WireClient } from "./wire-client.js";

/** Methods, strings of theirs, and how long each may be. */
const BOUNDED = [
  ["rename_session", "title", TEXT_LIMITS.titleChars],
  ["load_session", "sessionId", TEXT_LIMITS.idChars],
  ["close_session", "reason", TEXT_LIMITS.commentChars],
  ["get_rewind_info", "messageId", TEXT_LIMITS.idChars],
  ["remove_mcp_server", "serverName", TEXT_LIMITS.nameChars],
  ["initialize_session", "cwd", TEXT_LIMITS.pathChars],
] as const;

/** Texts of a prompt that count whole where it is measured without its long ones. */
const TEXT_BYTES = LIMITS.outlineTextBytes / 4;

const GOOD_AND_BAD = ["load_session", "no_such_method", "list_opened_sessions"];

/** docs/protocol.md §1, §2, §11 and §12: messages in general. */
export const WIRE_CASES: readonly DaemonCase[] = [
  daemonCase("P1.1-too-large", "a message over 16 MiB ends the connection with 1009", async (bench) => {
    const client = await bench.client();
    client.notify("session_notification", { padding: "x".repeat(LIMITS.sessionFrameBytes) });
    const { code, clean } = await client.ended();
    expectEqual({ code, clean }, { code: 1009, clean: false }, "the end");
  }),

  daemonCase("P1.2-too-deep", "a message nested deeper than 64 levels is answered with -32700", async (bench) => {
    const client = await bench.client();
    const nest = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;
    const within = await client.call("list_opened_sessions", { extra: nest(50) });
    expectEqual(within.error, undefined, "the error of a message within the limit");
    const { error } = await client.call("list_opened_sessions", { extra: nest(70) });
    expectEqual(error?.code, -32_700, "the code");
  }),

  daemonCase(
    "P1.3-long-strings",
    "a string past its bound is refused by field and number before its session is looked up, one at it is taken",
    async (bench) => {
      const { client, sessionId } = await bench.session();
      for (const [method, field, bound] of BOUNDED) {
        const params = { sessionId: newId(), token: "local", machineId: "default", [field]: "x".repeat(bound + 1) };
        const { code, message = "" } = (await client.call(method, params)).error ?? {};
        expectEqual(code, -32_602, `the code of ${method} with ${bound + 1} characters of ${field}`);
        const isNamed = [field, String(bound), String(bound + 1)].every((word) => message.includes(word));
        expectThat(isNamed, `the message of ${method} does not name ${field}, ${bound} and ${bound + 1}: ${message}`);
      }
      await client.result("rename_session", { sessionId, title: "x".repeat(TEXT_LIMITS.titleChars) });
      const longest = { sessionId: "x".repeat(TEXT_LIMITS.idChars), token: "local" };
      expectEqual(await client.codeOf("load_session", longest), -32_004, "the code of an unknown id of 256 characters");
    },
  ),

  daemonCase(
    "P1.4-large-calls",
    "a call over its bound in bytes is refused by its id, the bound and both numbers, and the connection goes on",
    async (bench) => {
      const { client, sessionId } = await bench.session();
      const texts = (bytes: number) => Array.from({ length: bytes / TEXT_BYTES }, () => "x".repeat(TEXT_BYTES));
      const { callBytes, documentCallBytes, outlineBytes } = LIMITS;
      const large = [
        ["callBytes", callBytes, "list_opened_sessions", { extra: "x".repeat(callBytes) }],
        ["documentCallBytes", documentCallBytes, "answer_request", { extra: "x".repeat(documentCallBytes) }],
        ["outlineBytes", outlineBytes, "add_user_message", { sessionId, text: "x", extra: texts(outlineBytes) }],
      ] as const;
      for (const [bound, most, method, params] of large) {
        const { code, message = "", data } = (await client.call(method, params)).error ?? {};
        expectEqual([code, data?.code], [-32_603, "MESSAGE_TOO_LARGE"], `the error of a ${method} over ${bound}`);
        const isNamed = [bound, String(most)].every((word) => message.includes(word));
        expectThat(isNamed, `the message of ${method} does not name ${bound} and ${most}: ${message}`);
      }
      const document = { requestId: newId(), result: {}, extra: "x".repeat(callBytes) };
      expectEqual(await client.codeOf("list_opened_sessions", { extra: texts(callBytes / 2) }), undefined, "the code");
      expectThat(
        (await client.call("answer_request", document)).error?.data?.code !== "MESSAGE_TOO_LARGE",
        `answer_request takes no more than ${callBytes} bytes`,
      );
    },
    ["inbox"],
  ),

  daemonCase("P2.1-envelope", "every message has its version, its type, and its prefix", async (bench) => {
    const opened = await bench.session();
    await bench.turn(opened, bench.prompts.say("hello"));
    for (const frame of opened.client.frames) expectEnvelope(frame);
    const versions = new Set(opened.client.frames.map(({ factoryProtocolVersion }) => factoryProtocolVersion));
    expectThat(versions.size === 1, `the daemon states ${versions.size} versions on one connection`);
  }),

  daemonCase("P2.2-one-answer", "each request is answered once, with its own id", async (bench) => {
    const client = await bench.client();
    const ids = Array.from({ length: 30 }, () => GOOD_AND_BAD.map((method) => client.request(method))).flat();
    for (const id of ids) await client.response(id);
    await bench.settle(client);
    const answered = client.frames.filter(({ type, id }) => type === "response" && ids.includes(id ?? ""));
    expectEqual(answered.length, ids.length, "answers to these requests");
  }),

  daemonCase("P2.3-openness", "keys that the daemon does not know are ignored", async (bench) => {
    const client = await bench.client();
    const { error } = await client.call("list_opened_sessions", { unheard: { of: [1] } }, { unheardOf: true });
    expectEqual(error, undefined, "the error");
  }),

  daemonCase("P2.4-version", "a request that states the daemon's version, or none, is served", async (bench) => {
    const client = await bench.client();
    const factoryProtocolVersion = client.frames[0]?.factoryProtocolVersion;
    expectThat(typeof factoryProtocolVersion === "string", "the daemon states no version");
    const stated = await client.call("list_opened_sessions", {}, { factoryProtocolVersion });
    const unstated = await client.call("list_opened_sessions");
    expectEqual([stated.error, unstated.error], [undefined, undefined], "errors");
  }),

  daemonCase("P11.1-no-json", "what is no JSON is answered with -32700 and the id null", async (bench) => {
    const client = await bench.client();
    for (const text of ["{", "", "not json"]) await expectRefusal(client, text, { code: -32_700, id: null });
  }),

  daemonCase("P11.2-no-envelope", "JSON that is no envelope is answered with -32700", async (bench) => {
    const client = await bench.client();
    const bodies = [[], 1, null, "text", {}, { jsonrpc: "1.0", type: "request", method: "x" }];
    for (const body of bodies) await expectRefusal(client, JSON.stringify(body), { code: -32_700, id: null });
  }),

  daemonCase("P11.3-bad-id", "a request whose id is no string, or too long, is -32600 with null", async (bench) => {
    const client = await bench.client();
    for (const id of [1, true, {}, "x".repeat(TEXT_LIMITS.idChars + 1)]) {
      const text = envelope({ id, method: "daemon.list_opened_sessions", params: {} });
      await expectRefusal(client, text, { code: -32_600, id: null });
    }
  }),

  daemonCase("P11.4-prototypes", "keys that replace a prototype are refused with -32600", async (bench) => {
    const client = await bench.client();
    const request = (params: string) =>
      envelope({ id: "p-1", method: "daemon.list_opened_sessions", params: "PARAMS" }).replace('"PARAMS"', params);
    for (const params of ['{"__proto__":{"x":1}}', '{"a":[{"constructor":{"prototype":{}}}]}']) {
      await expectRefusal(client, request(params), { code: -32_600, id: "p-1" });
    }
    const asValues = await client.call("list_opened_sessions", { a: "__proto__", b: "constructor" });
    expectEqual(asValues.error, undefined, "the error when such words are values");
  }),

  daemonCase(
    "P11.5-prototype-ids",
    "names of a prototype's keys are valid ids of sessions and messages",
    async (bench) => {
      const { client } = await bench.session();
      for (const sessionId of ["__proto__", "constructor", "toString"]) {
        const { error } = await client.call("load_session", { sessionId, token: "local" });
        expectEqual([error?.code, error?.data?.sessionId], [-32_004, sessionId], "code and sessionId");
      }
    },
  ),

  daemonCase("P11.6-unknown-method", "an unknown method is answered with -32601", async (bench) => {
    const client = await bench.client();
    expectEqual(await client.codeOf("no_such_method"), -32_601, "the code");
    const other = client.request("x", {}, { method: "other.list_opened_sessions" });
    expectEqual((await client.response(other)).error?.code, -32_601, "the code of another prefix");
  }),

  daemonCase("P11.7-bad-params", "params that a method refuses are answered with -32602", async (bench) => {
    const { client, sessionId } = await bench.session();
    expectEqual(await client.codeOf("initialize_session", { cwd: 1 }), -32_602, "the code of initialize_session");
    expectEqual(await client.codeOf("load_session", {}), -32_602, "the code of load_session without an id");
    expectEqual(await client.codeOf("add_user_message", { sessionId }), -32_602, "the code of a message without text");
  }),

  daemonCase("P11.8-no-answer-to-answers", "bad notifications and responses get no answer", async (bench) => {
    const client = await bench.client();
    const before = client.frames.length;
    client.notify("no_such_notification", { x: 1 });
    client.respond("nobody-asked", { selectedOption: "cancel" });
    client.send({ type: "response", id: "neither" });
    client.send({ type: "notification", params: 7 });
    await bench.settle(client);
    const answers = client.frames.slice(before).filter(({ type }) => type === "response");
    expectEqual(answers.length, 1, "answers, with that to the call behind them");
  }),

  daemonCase("P11.9-kept", "the connection is kept after each of these faults", async (bench) => {
    const opened = await bench.session();
    for (const text of ["{", "[]", envelope({ id: 1, method: "x" })]) opened.client.sendRaw(text);
    await opened.client.call("no_such_method");
    await opened.client.call("load_session", { sessionId: "nobody", token: "local" });
    await bench.turn(opened, bench.prompts.say("still here"));
    expectEqual(opened.client.end, undefined, "the end of the connection");
  }),

  daemonCase(
    "P12.1-ping",
    "ping is answered",
    async (bench) => {
      const client = await bench.client();
      expectEqual(await client.result("ping"), {}, "the result");
    },
    ["ping"],
  ),

  daemonCase(
    "P12.2-going-away",
    "a daemon that stops closes its connections with 1001",
    async (bench) => {
      const client = await bench.client();
      await bench.harness.restart?.("asked");
      expectEqual((await client.ended()).code, 1001, "the code");
    },
    ["restart"],
  ),

  daemonCase(
    "P12.3-metrics",
    "get_metrics counts a turn that ended, by reason and in a minute",
    async (bench) => {
      const opened = await bench.session();
      const before = await turnsIn(opened.client);
      await bench.turn(opened, bench.prompts.say("counted"));
      const after = await turnsIn(opened.client);
      expectEqual(after.completed - before.completed, 1, "further completed turns in daemon_sdk_turns_ended_total");
      // A turn that an earlier case left may end meanwhile, in another way.
      expectEqual(after.inMinutes - before.inMinutes, after.ended - before.ended, "further turns in minutes");
      expectThat(after.minutes.length <= 60, "more than 60 minutes");
      expectEqual(
        after.minutes,
        [...after.minutes].sort((one, other) => one - other),
        "minutes, oldest first",
      );
    },
    ["metrics", "turns"],
  ),
];

interface Turns {
  readonly ended: number;
  readonly completed: number;
  readonly inMinutes: number;
  readonly minutes: readonly number[];
}

/** The turns that a daemon states as ended, those of them that completed, and the starts of its minutes. */
async function turnsIn(client: WireClient): Promise<Turns> {
  const { metrics, minutes } = (await client.result("get_metrics")) as unknown as GetMetricsResult;
  const samples = metrics.find(({ name }) => name === "daemon_sdk_turns_ended_total")?.samples ?? [];
  const sumOf = (some: typeof samples) => some.reduce((sum, { value }) => sum + value, 0);
  return {
    ended: sumOf(samples),
    completed: sumOf(samples.filter(({ labels }) => labels?.reason === "completed")),
    inMinutes: minutes.reduce((sum, { turns }) => sum + turns, 0),
    minutes: minutes.map(({ at }) => at),
  };
}

function envelope(body: object): string {
  return JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", ...body });
}

/** Sends a bad text and checks the answer. */
async function expectRefusal(client: WireClient, text: string, expected: { code: number; id: string | null }) {
  const from = client.frames.length;
  client.sendRaw(text);
  const { error, id } = await client.waitFor(({ type }) => type === "response", `the answer to ${text}`, from);
  expectEqual({ code: error?.code, id }, expected, `the answer to ${text}`);
}

function expectEnvelope(frame: WireFrame): void {
  const what = JSON.stringify(frame).slice(0, 80);
  expectEqual([frame.jsonrpc, frame.factoryApiVersion], ["2.0", "1.0.0"], `versions of ${what}`);
  const isOne = ["request", "response", "notification"].includes(frame.type ?? "");
  expectThat(isOne, `the type of ${what} is ${String(frame.type)}`);
  const hasPrefix = frame.type === "response" || frame.method?.startsWith("daemon.") === true;
  expectThat(hasPrefix, `the method of ${what} has not the prefix daemon.`);
}
