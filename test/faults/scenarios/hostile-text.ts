import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { decodeFrame, LineSplitter } from "@daemon-sdk/protocol";
import { type Envelope, encodeFrame, FrameParser } from "@daemon-sdk/protocol/relay";
import { startDaemonProcess } from "../../support/daemon-process.js";
import type { FaultScenario } from "../scenario.js";
import { round } from "../support/figures.js";
import { ENVELOPE, RawClient } from "../support/raw-client.js";
import { Opcode, RawSocket, webSocketFrame } from "../support/raw-socket.js";

const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"];
const MILLION = 1_000_000;

/** B4, B5, B10: texts that are JSON or nearly so, and mean harm. */
export const hostileTextScenarios: readonly FaultScenario[] = [
  {
    id: "B4",
    title: "__proto__ and its like are plain text as ids and methods, refused as keys, and change no prototype",
    isQuick: true,
    async run() {
      const before = prototypes();
      await using daemon = await startDaemonProcess();
      using client = await RawClient.connect(daemon.url, daemon.token);
      for (const name of NAMES) await speakOf(client, name);
      readHere();
      assert.deepEqual(prototypes(), before);
      assert.equal(Reflect.get({}, "polluted"), undefined);
      const { result } = await client.call("list_opened_sessions", {});
      assert.deepEqual(result?.sessions, []);
      return `${NAMES.length} names as session id, method, request id and key, prototypes unchanged`;
    },
  },
  {
    id: "B5",
    title: "nesting of 64 is taken, of 65 and of a million is refused, at once",
    isQuick: true,
    async run(context) {
      const request = (depth: number) => {
        // The envelope and its params are two levels.
        const nested = `${"[".repeat(depth - 2)}${"]".repeat(depth - 2)}`;
        const head = JSON.stringify({
          ...ENVELOPE,
          type: "request",
          id: "deep",
          method: "daemon.list_opened_sessions",
        });
        return `${head.slice(0, -1)},"params":{"nested":${nested}}}`;
      };
      await using daemon = await startDaemonProcess();
      using client = await RawClient.connect(daemon.url, daemon.token);
      assert.equal((await client.ask("deep", request(64))).error, undefined);
      assert.equal((await client.ask("deep", request(65))).error?.code, -32700);
      const refused = new Promise<number | undefined>((resolve) => {
        client.onFrame = ({ error }) => resolve(error?.code);
      });
      const started = performance.now();
      client.send(request(MILLION));
      assert.equal(await refused, -32700);
      const took = performance.now() - started;
      assert.ok(took <= 300 * context.slowness, `refusing a million levels took ${round(took)} ms`);
      assert.equal((await client.call("list_opened_sessions", {})).error, undefined);
      return `64 ok, 65 refused, 1 000 000 refused in ${round(took)} ms`;
    },
  },
  {
    id: "B10",
    title: "split code points arrive whole; bytes that are no UTF-8 end the link with 1007, or are a typed error",
    isQuick: true,
    async run() {
      await using daemon = await startDaemonProcess();
      await splitCodePoints(daemon.port);
      assert.equal(await endOf(daemon.port, Buffer.from([0x22, 0xff, 0xfe, 0x22])), 1007);
      assert.equal(await endOf(daemon.port, Buffer.from([0xed, 0xa0, 0x80])), 1007);
      for (const text of ["\0", '{"a":\0}', "\ufeff{}"]) assert.equal(codeOf(text), -32700);
      assert.equal(await relayAnswers(daemon.socketPath), true);
      const lines: string[] = [];
      let refused = 0;
      const framing = new LineSplitter({
        maxLineBytes: 1024,
        onLine: (line) => lines.push(line),
        onError: () => {
          refused += 1;
        },
      });
      framing.push(Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from("good\n")]));
      assert.deepEqual([lines, refused], [["good"], 1]);
      return "split code points whole, invalid UTF-8 → 1007 and typed errors, NUL → -32700";
    },
  },
];

async function speakOf(client: RawClient, name: string): Promise<void> {
  const unknown = await client.call("load_session", { sessionId: name, token: "t" });
  assert.equal(unknown.error?.code, -32004, `${name} as a session id`);
  assert.equal((await client.call(name, { sessionId: "s" })).error?.code, -32601, `${name} as a method`);
  const request = { ...ENVELOPE, type: "request", id: name, method: "daemon.list_opened_sessions", params: {} };
  assert.equal((await client.ask(name, JSON.stringify(request))).error, undefined, `${name} as a request id`);
  const { code, mustRefuse } = keyCase(name);
  const text = JSON.stringify({ ...request, id: `key ${name}` }).replace('"params":{}', `"params":${code}`);
  const { error } = await client.ask(`key ${name}`, text);
  if (mustRefuse) assert.equal(error?.code, -32600, `${name} as a key`);
  else assert.equal(error, undefined, `${name} as a key`);
}

/** Keys that can replace a prototype are refused; the others are names like any other. */
function keyCase(name: string): { code: string; mustRefuse: boolean } {
  if (name === "__proto__") return { code: '{"__proto__":{"polluted":true}}', mustRefuse: true };
  if (name === "constructor") return { code: '{"constructor":{"prototype":{"polluted":true}}}', mustRefuse: true };
  return { code: `{"${name}":{"polluted":true}}`, mustRefuse: false };
}

/** The same texts through the readers of this very process, whose prototypes can be looked at. */
function readHere(): void {
  for (const name of [...NAMES, "__pro\\u0074o__"]) {
    decodeFrame(`{"jsonrpc":"2.0","type":"request","id":"i","method":"m","params":{"${name}":{"polluted":true}}}`);
    const json = `{"v":1,"type":"SEND","id":"i","ts":1,"payload":{"${name}":{"polluted":true}}}`;
    const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(json)]);
    frame.writeUInt32BE(frame.length - 4);
    new FrameParser({ onFrame: () => {}, onError: () => {} }).push(frame);
  }
}

function prototypes(): string[] {
  return [Object, Array, Function, Map, Promise, String].map((kind) =>
    Reflect.ownKeys(kind.prototype).map(String).join(" "),
  );
}

/** A request in two fragments, cut inside a character. */
async function splitCodePoints(port: number): Promise<void> {
  const text = JSON.stringify({ ...ENVELOPE, type: "request", id: "ü€𝄞", method: "daemon.ping", params: {} });
  const bytes = Buffer.from(text);
  for (let at = bytes.indexOf(0xc3); at < bytes.indexOf(0xc3) + 9; at += 1) {
    using raw = await RawSocket.upgrade(port);
    await raw.write(webSocketFrame(Opcode.text, bytes.subarray(0, at), { isLast: false }));
    await raw.write(webSocketFrame(Opcode.continuation, bytes.subarray(at)));
    while (raw.frames.length < 10) await once(raw.socket, "data");
    assert.ok(raw.frames.includes(Buffer.from("ü€𝄞")), "the id comes back as it was sent");
  }
}

async function endOf(port: number, payload: Buffer): Promise<number | undefined> {
  using raw = await RawSocket.upgrade(port);
  await raw.write(webSocketFrame(Opcode.text, payload));
  await raw.closed;
  return raw.closeCode;
}

function codeOf(text: string): number {
  const decoded = decodeFrame(text);
  return decoded.ok ? 0 : decoded.rpcCode;
}

/** Whether the relay says what was wrong with a frame of bytes that are no UTF-8, and ends. */
async function relayAnswers(path: string): Promise<boolean> {
  const socket = net.connect(path);
  const got: Envelope[] = [];
  const parser = new FrameParser({ onFrame: (envelope) => got.push(envelope), onError: (error) => assert.fail(error) });
  socket.on("data", (chunk) => parser.push(chunk));
  const bad = Buffer.from(encodeFrame({ v: 1, type: "HELLO", id: "i", ts: 1, payload: { agent: "abc" } }));
  bad[bad.indexOf("abc")] = 0xff;
  socket.write(bad);
  await once(socket, "close");
  return got.some(({ type }) => type === "ERROR");
}
