import assert from "node:assert/strict";
import { decodeFrame, LineSplitter, ProtocolError } from "@daemon-sdk/protocol";
import { type Envelope, encodeFrame, FrameParser } from "@daemon-sdk/protocol/relay";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, round } from "../support/figures.js";

const LIMIT_BYTES = 64 * 1024;
const SLACK_BYTES = 64 * 1024;

/** B1, B2: the readers of both wires and of the agents' lines, fed by hand with whatever bytes. */
export const byteScenarios: readonly FaultScenario[] = [
  {
    id: "B1",
    title: "any frames, split at any byte, are decoded as they were sent",
    isQuick: true,
    run(context) {
      const runs = context.count(20_000);
      let frames = 0;
      for (let run = 0; run < runs; run += 1) frames += run % 2 === 0 ? relayRun(context) : lineRun(context);
      return Promise.resolve(`${runs} runs, ${frames} frames, decoded = sent`);
    },
  },
  {
    id: "B2",
    title: "mutated frames give typed errors only, and cost no more memory than the limit",
    isQuick: true,
    run(context) {
      const cases = context.count(100_000);
      let refused = 0;
      let worst = 0;
      for (let index = 0; index < cases; index += 1) {
        const { errors, heldBytes } = index % 2 === 0 ? mutatedRelay(context) : mutatedText(context);
        refused += errors;
        worst = Math.max(worst, heldBytes);
      }
      assert.ok(worst <= LIMIT_BYTES + SLACK_BYTES, `a parser held ${worst} bytes`);
      assert.ok(refused > cases / 4, "mutations do break frames");
      return Promise.resolve(`${cases} mutated frames, ${refused} refused by type, at most ${bytes(worst)} held`);
    },
  },
];

/** A frame of 1 MiB byte by byte: linear, and within 100 ms. The figure; throws when it is not so. */
export function byteByByte(context: FaultContext): string {
  const times = [2 ** 18, 2 ** 20].map((size) => Math.min(...[1, 2, 3].map(() => timeOneByteChunks(size))));
  const [quarter = 0, whole = 0] = times;
  assert.ok(
    whole < quarter * 4 * (context.isSample ? 8 : 2.5),
    `4 times the bytes took ${round(whole / quarter)} times as long`,
  );
  assert.ok(whole <= 100 * context.slowness, `1 MiB in chunks of one byte took ${round(whole)} ms`);
  return `1 MiB byte by byte in ${round(whole)} ms`;
}

function timeOneByteChunks(size: number): number {
  const envelope: Envelope = { v: 1, type: "SEND", id: "i", ts: 1, payload: { body: "x".repeat(size - 100) } };
  const frame = encodeFrame(envelope);
  let got = 0;
  const parser = new FrameParser({
    onFrame: () => {
      got += 1;
    },
    onError: (error) => assert.fail(error.message),
  });
  // The processor's time, which other programs do not lengthen.
  const before = process.cpuUsage();
  for (let at = 0; at < frame.length; at += 1) parser.push(frame.subarray(at, at + 1));
  const { user, system } = process.cpuUsage(before);
  assert.equal(got, 1);
  return (user + system) / 1000;
}

function relayRun(context: FaultContext): number {
  const sent = Array.from({ length: 1 + context.below(6) }, () => envelopeOf(context));
  const got: Envelope[] = [];
  const parser = new FrameParser({
    onFrame: (envelope) => got.push(envelope),
    onError: (error) => assert.fail(error.message),
  });
  for (const chunk of split(context, Buffer.concat(sent.map((one) => encodeFrame(one))))) parser.push(chunk);
  assert.deepEqual(got, sent);
  assert.equal(parser.pendingBytes, 0);
  return sent.length;
}

function lineRun(context: FaultContext): number {
  const sent = Array.from({ length: 1 + context.below(6) }, () => JSON.stringify(envelopeOf(context)));
  const got: string[] = [];
  const framing = new LineSplitter({
    maxLineBytes: 2 ** 20,
    onLine: (line) => got.push(line),
    onError: (error) => assert.fail(error.message),
  });
  for (const chunk of split(context, Buffer.from(`${sent.join("\n")}\n`))) framing.push(chunk);
  framing.end();
  assert.deepEqual(got, sent);
  return sent.length;
}

function mutatedRelay(context: FaultContext): { errors: number; heldBytes: number } {
  const whole = Buffer.concat([encodeFrame(envelopeOf(context)), encodeFrame(envelopeOf(context))]);
  let errors = 0;
  let heldBytes = 0;
  const parser = new FrameParser({
    maxFrameBytes: LIMIT_BYTES,
    onFrame: (envelope) => assert.equal(typeof envelope.type, "string"),
    onError: (error) => {
      assert.ok(ProtocolError.is(error), `not a typed error: ${error}`);
      errors += 1;
    },
  });
  for (const chunk of split(context, mutate(context, whole))) {
    parser.push(chunk);
    heldBytes = Math.max(heldBytes, parser.pendingBytes);
  }
  assert.ok(errors <= 1, "a broken stream is told once");
  return { errors, heldBytes };
}

function mutatedText(context: FaultContext): { errors: number; heldBytes: number } {
  const request = {
    jsonrpc: "2.0",
    factoryApiVersion: "1.0.0",
    type: "request",
    id: "i",
    method: "daemon.add_user_message",
    params: envelopeOf(context),
  };
  const text = mutate(context, Buffer.from(JSON.stringify(request))).toString("utf8");
  const decoded = decodeFrame(text);
  if (decoded.ok) return { errors: 0, heldBytes: 0 };
  assert.ok(decoded.rpcCode === -32700 || decoded.rpcCode === -32600, `refused with ${decoded.rpcCode}`);
  return { errors: 1, heldBytes: 0 };
}

const LENGTHS = [0, 1, 2 ** 31, 2 ** 32 - 1];

/** Flips, cuts, splices, or lies about the length in the header. */
function mutate(context: FaultContext, original: Buffer): Buffer {
  const copy = Buffer.from(original);
  const at = context.below(copy.length);
  switch (context.below(6)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << context.below(8));
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(context.below(copy.length))]);
    case 3:
      copy.writeUInt32BE((copy.readUInt32BE(0) + (context.below(2) === 0 ? 1 : -1)) >>> 0, 0);
      return copy;
    case 4:
      copy.writeUInt32BE(LENGTHS[context.below(LENGTHS.length)] ?? 0, 0);
      return copy;
    default:
      return Buffer.from(Array.from({ length: 1 + context.below(200) }, () => context.below(256)));
  }
}

const ALPHABET = ["a", "ü", "€", "𝄞", "\n", "\0", '"', "\\", "{", "\u2028", "x".repeat(80)];

function envelopeOf(context: FaultContext): Envelope {
  const text = () => Array.from({ length: context.below(12) }, () => ALPHABET[context.below(ALPHABET.length)]).join("");
  const nested = context.below(2) === 0 ? null : { list: [text(), context.below(1000), { deep: text() }] };
  return { v: 1, type: "SEND", id: text(), ts: context.below(2 ** 31), to: text(), payload: { body: text(), nested } };
}

/** The bytes in pieces, cut anywhere, in mid-header and mid-character, too. */
function split(context: FaultContext, whole: Buffer): Buffer[] {
  const cuts = Array.from({ length: context.below(8) }, () => context.below(whole.length + 1)).sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, whole.length]) {
    pieces.push(whole.subarray(from, cut));
    from = cut;
  }
  return pieces;
}
