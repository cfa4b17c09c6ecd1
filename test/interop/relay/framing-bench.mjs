/** Speed of framing, ours beside the published package's, taking turns in one process. Best of several rounds. */
import * as theirs from "@agent-relay/protocol";
import * as ours from "@daemon-sdk/protocol/relay";

const ROUNDS = 15;
const BATCH = 64;
const CHUNK_BYTES = 65_536;
/** Bytes of traffic per candidate and round. */
const TRAFFIC_BYTES = 8 * 1024 * 1024;
const GOALS = { encode: 1.2, parse: 0.95 };

function envelopeOf(frameBytes) {
  const id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
  const empty = { v: 1, type: "SEND", id, ts: 1_795_306_059_378, to: "Bob", payload: { kind: "message", body: "" } };
  const body = "x".repeat(frameBytes - ours.encodeFrame(empty).length);
  return { ...empty, payload: { kind: "message", body } };
}

/** CPU time of this process in nanoseconds: unlike the clock, it does not count what others on the machine do. */
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds of CPU per frame of each candidate, the best round of each. They are run in turn. */
function race(candidates) {
  const best = new Map();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(candidates)) {
      const started = cpuTime();
      const frames = run();
      const each = (cpuTime() - started) / frames;
      if (round > 0) best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, each));
    }
  }
  return best;
}

function encoders(envelope, count) {
  const writer = new ours.FrameWriter();
  return {
    theirs() {
      for (let index = 0; index < count; index += 1) theirs.encodeFrameLegacy(envelope);
      return count;
    },
    "ours, one by one"() {
      for (let index = 0; index < count; index += 1) ours.encodeFrame(envelope);
      return count;
    },
    [`ours, ${BATCH} to a slab`]() {
      for (let index = 1; index <= count; index += 1) {
        writer.write(envelope);
        if (index % BATCH === 0) writer.release(writer.take());
      }
      writer.release(writer.take());
      return count;
    },
  };
}

function parsers(envelope, count) {
  const stream = Buffer.concat(Array.from({ length: count }, () => theirs.encodeFrameLegacy(envelope)));
  const chunks = [];
  for (let at = 0; at < stream.length; at += CHUNK_BYTES) chunks.push(stream.subarray(at, at + CHUNK_BYTES));
  return {
    theirs() {
      const parser = new theirs.FrameParser();
      parser.setLegacyMode(true);
      let frames = 0;
      for (const chunk of chunks) frames += parser.push(chunk).length;
      return frames;
    },
    ours() {
      let frames = 0;
      const onFrame = () => {
        frames += 1;
      };
      const parser = new ours.FrameParser({ onFrame, onError: console.error });
      for (const chunk of chunks) parser.push(chunk);
      return frames;
    },
  };
}

/** Prints frames per second and how ours compares. Goals are reported, not judged: a shared machine is no judge. */
export function benchFraming() {
  console.log(`speed of framing (frames per second of CPU, best of ${ROUNDS} rounds in turn)`);
  for (const bytes of [200, 4096]) {
    const count = Math.round(TRAFFIC_BYTES / bytes);
    for (const [what, make] of [
      ["encode", encoders],
      ["parse", parsers],
    ]) {
      const times = race(make(envelopeOf(bytes), count));
      for (const [name, each] of times) {
        const ratio = times.get("theirs") / each;
        const verdict =
          name === "theirs"
            ? ""
            : `${ratio.toFixed(2)} × (goal ${GOALS[what]}: ${ratio >= GOALS[what] ? "met" : "missed"})`;
        const rate = Math.round(1e9 / each).toLocaleString("en");
        console.log(
          `  ${String(bytes).padStart(4)} B ${what.padEnd(6)} ${name.padEnd(20)} ${rate.padStart(10)}  ${verdict}`,
        );
      }
    }
  }
}
