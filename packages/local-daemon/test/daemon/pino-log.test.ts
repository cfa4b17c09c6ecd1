import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { openPinoLog } from "../../src/daemon/pino-log.js";

test.skipIf(!existsSync("/dev/full"))(
  "a full disk costs lines of the log, and neither the daemon nor its memory",
  async () => {
    const logger = openPinoLog("/dev/full", "info");
    const before = process.memoryUsage().heapUsed;
    for (let line = 0; line < 20_000; line += 1) logger.error({ line, text: "x".repeat(1_000) }, "no room for this");
    await new Promise(setImmediate);
    // 20 MB were said.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 * 1024);
  },
);
