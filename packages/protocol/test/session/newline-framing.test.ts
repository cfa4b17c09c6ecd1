import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { LineSplitter } from "../../src/index.js";

const LINE_BYTES = 1024 * 1024;
const ROUNDS = 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const { decode } = TextDecoder.prototype;
afterEach(() => {
  TextDecoder.prototype.decode = decode;
});

/** What is decoded from now on, held weakly: the splitter gathers a line in a buffer of its own. */
function watchBuffers(): WeakRef<ArrayBufferLike>[] {
  const seen: WeakRef<ArrayBufferLike>[] = [];
  TextDecoder.prototype.decode = function (this: TextDecoder, bytes, options) {
    if (bytes !== undefined && ArrayBuffer.isView(bytes)) seen.push(new WeakRef(bytes.buffer));
    return decode.call(this, bytes, options);
  };
  return seen;
}

async function isCollected(reference: WeakRef<object> | undefined): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round += 1) {
    // A WeakRef holds what it was made for, or asked for, until the job ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    if (reference?.deref() === undefined) return true;
  }
  return false;
}

test("what a long line needed while it came in parts is let go of with the line, however long the stream lives", async () => {
  const buffers = watchBuffers();
  const lengths: number[] = [];
  const splitter = new LineSplitter({
    maxLineBytes: 2 * LINE_BYTES,
    onLine: (line) => lengths.push(line.length),
    onError: (error) => expect.fail(error.message),
  });
  const half = () => new Uint8Array(LINE_BYTES / 2).fill(0x61);

  splitter.push(half());
  splitter.push(half());
  splitter.push(Uint8Array.of(0x0a));

  expect(lengths).toEqual([LINE_BYTES]);
  expect(buffers).toHaveLength(1);
  expect(await isCollected(buffers[0])).toBe(true);

  splitter.push(Uint8Array.of(0x62, 0x0a));
  expect(lengths).toEqual([LINE_BYTES, 1]);
});
