import { PassThrough } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { OutputTail } from "../../../src/agents/drivers/acp/client-services/output-tail.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What else the process keeps meanwhile is a part of it; a buffer for each piece would cost 120 MB. */
const MOST_BYTES = 8 * 1024 * 1024;

test("output that comes in tiny pieces costs little more than its bytes, and its end is kept whole", async () => {
  const stream = new PassThrough();
  const tail = new OutputTail(stream, 300_001);
  collectGarbage();
  const before = process.memoryUsage();
  // Each piece in a buffer of its own, as pipes are read.
  for (let index = 0; index < 200_000; index++) stream.emit("data", Buffer.from(Uint8Array.of(0xc3, 0xa4)));
  const grown = () => {
    collectGarbage();
    const now = process.memoryUsage();
    return now.heapUsed + now.arrayBuffers - before.heapUsed - before.arrayBuffers;
  };
  // What was let go of is swept by a thread, which a busy machine delays.
  await expect.poll(grown).toBeLessThan(MOST_BYTES);
  expect(tail.isCut).toBe(true);
  expect(tail.toString()).toBe("ä".repeat(150_000));
});
