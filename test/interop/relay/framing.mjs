/** Part (c): our encoder and parser against the published ones, on recorded and on generated frames. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as theirs from "@agent-relay/protocol";
import * as ours from "@daemon-sdk/protocol/relay";
import { randomEnvelope, randomSource } from "./random-envelopes.mjs";

const RECORDINGS = new URL("../../../packages/protocol/test/fixtures/relay-captures.jsonl", import.meta.url);
const GENERATED = 10_000;
const LIMIT = theirs.MAX_FRAME_BYTES;

/** Envelopes that our parser finds in these chunks. @throws the parser's error */
export function parseOurs(chunks) {
  const envelopes = [];
  const parser = new ours.FrameParser({
    onFrame: (envelope) => envelopes.push(envelope),
    onError(error) {
      throw error;
    },
  });
  for (const chunk of chunks) parser.push(chunk);
  return envelopes;
}

/** Envelopes that the published parser finds in these chunks, in the form that sockets use. */
export function parseTheirs(chunks) {
  const parser = new theirs.FrameParser();
  parser.setLegacyMode(true);
  return chunks.flatMap((chunk) => parser.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)));
}

function recordedFrames() {
  const records = readFileSync(RECORDINGS, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const frames = records.filter((record) => record.envelope !== undefined);
  return frames.map(({ hex, envelope }) => ({ bytes: Buffer.from(hex, "hex"), envelope }));
}

function cutRandomly(bytes, random, maxPiece) {
  const pieces = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(maxPiece);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

function sized(bodyLength) {
  return { v: 1, type: "SEND", id: "x", ts: 1, to: "Bob", payload: { kind: "message", body: "x".repeat(bodyLength) } };
}

async function checkRecorded(checks) {
  const frames = recordedFrames();
  await checks.check(`both parsers read all ${frames.length} recorded frames as what was recorded`, () => {
    for (const { bytes, envelope } of frames) {
      assert.deepEqual(parseOurs([bytes]), [envelope]);
      assert.deepEqual(parseTheirs([bytes]), [envelope]);
    }
  });
  await checks.check("both encoders write every recorded envelope as the recorded bytes", () => {
    for (const { bytes, envelope } of frames) {
      assert.deepEqual(Buffer.from(ours.encodeFrame(envelope)), bytes);
      assert.deepEqual(theirs.encodeFrameLegacy(envelope), bytes);
    }
  });
  await checks.check("every recorded envelope holds what our guards say its type promises", () => {
    for (const { envelope } of frames) assert.ok(ours.isKnownEnvelope(envelope), JSON.stringify(envelope));
  });
}

/** Ours reads `null` in the optional fields of known payloads as absent; of the generated ones that are these. */
function withoutNulls(envelope) {
  const { payload, type } = envelope;
  const optional = { SEND: ["data", "thread"], DELIVER: ["data", "thread"], CHANNEL_MESSAGE: ["data", "thread"] };
  const nulls = (optional[type] ?? []).filter((key) => payload[key] === null);
  const kept = Object.entries(payload).filter(([key]) => !nulls.includes(key));
  return { ...envelope, payload: Object.fromEntries(kept) };
}

async function checkGenerated(checks, seed) {
  const random = randomSource(seed);
  const envelopes = Array.from({ length: GENERATED }, () => randomEnvelope(random));
  const plain = envelopes.map((envelope) => JSON.parse(JSON.stringify(envelope)));
  const frames = envelopes.map((envelope) => theirs.encodeFrameLegacy(envelope));
  const stream = Buffer.concat(frames);

  await checks.check(`both encoders write the same bytes for ${GENERATED} generated envelopes`, () => {
    envelopes.forEach((envelope, index) => {
      assert.deepEqual(Buffer.from(ours.encodeFrame(envelope)), frames[index], `envelope ${index}`);
    });
  });
  await checks.check("our writer gives the same bytes for many frames in one chunk", () => {
    const writer = new ours.FrameWriter();
    const chunks = [];
    envelopes.forEach((envelope, index) => {
      writer.write(envelope);
      if (index % 37 === 0) chunks.push(writer.take());
    });
    assert.ok(Buffer.concat([...chunks, writer.take()]).equals(stream));
  });
  for (const maxPiece of [7, 1500, 65_536, 1_000_000]) {
    await checks.check(`both parsers read the same from pieces of up to ${maxPiece} bytes`, () => {
      const pieces = cutRandomly(stream, random, maxPiece);
      assert.deepEqual(parseOurs(pieces), plain.map(withoutNulls));
      assert.deepEqual(parseTheirs(pieces), plain);
    });
  }
}

async function checkLimits(checks) {
  const overhead = ours.encodeFrame(sized(0)).length - ours.FRAME_HEADER_BYTES;
  const [largest, tooLarge] = [sized(LIMIT - overhead), sized(LIMIT - overhead + 1)];
  await checks.check("both take a frame of exactly 1 MiB, from each other", () => {
    assert.deepEqual(parseOurs([theirs.encodeFrameLegacy(largest)]), [largest]);
    assert.deepEqual(parseTheirs([ours.encodeFrame(largest)]), [largest]);
  });
  await checks.check("both refuse to write one byte more, and to read it from the header alone", () => {
    assert.throws(() => ours.encodeFrame(tooLarge), { code: "MESSAGE_TOO_LARGE" });
    assert.throws(() => theirs.encodeFrameLegacy(tooLarge));
    const header = Buffer.alloc(4);
    header.writeUInt32BE(LIMIT + 1);
    assert.throws(() => parseOurs([header]), { code: "MESSAGE_TOO_LARGE" });
    assert.throws(() => parseTheirs([header]));
  });
  await checks.check("both refuse what is no JSON; only ours delivers the good frame before it", () => {
    const chunk = Buffer.concat([theirs.encodeFrameLegacy(sized(3)), Buffer.from("000000057b6261647d", "hex")]);
    const seen = [];
    const errors = [];
    const parser = new ours.FrameParser({
      onFrame: (one) => seen.push(one),
      onError: (error) => errors.push(error.code),
    });
    parser.push(chunk);
    assert.deepEqual([seen, errors], [[sized(3)], ["PROTOCOL_VIOLATION"]]);
    assert.throws(() => parseTheirs([chunk]));
  });
}

/** Runs all checks of framing. `seed` repeats a run. */
export async function checkFraming(checks, seed) {
  console.log(`framing, against @agent-relay/protocol 2.0.29 (seed ${seed})`);
  assert.equal(ours.PROTOCOL_VERSION, theirs.PROTOCOL_VERSION);
  await checkRecorded(checks);
  await checkGenerated(checks, seed);
  await checkLimits(checks);
}
