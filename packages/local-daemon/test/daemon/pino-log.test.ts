import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@daemon-sdk/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openPinoLog } from "../../src/daemon/pino-log.js";

/** A log to a file, as a logger. */
function logTo(file: string, maxBytes?: number): Pick<Logger, "info" | "error"> {
  const write = openPinoLog({ level: "info", file, ...(maxBytes === undefined ? {} : { maxBytes }) });
  return {
    info: (fields, message) => write("info", fields, message, Date.now()),
    error: (fields, message) => write("error", fields, message, Date.now()),
  };
}

test.skipIf(!existsSync("/dev/full"))(
  "a full disk costs lines of the log, and neither the daemon nor its memory",
  async () => {
    const logger = logTo("/dev/full");
    const before = process.memoryUsage().heapUsed;
    for (let line = 0; line < 20_000; line += 1) logger.error({ line, text: "x".repeat(1_000) }, "no room for this");
    await new Promise(setImmediate);
    // 20 MB were said.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 * 1024);
  },
);

describe("a log that grows", () => {
  const MAX_BYTES = 10_000;
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "log-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("is put aside while the daemon runs, so that two files of bounded size hold its last lines, whole", () => {
    const path = join(directory, "daemon.log");
    const logger = logTo(path, MAX_BYTES);
    for (let line = 0; line < 1_000; line += 1) logger.info({ line, text: "x".repeat(50) }, "said");

    const files = [`${path}.1`, path];
    for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(MAX_BYTES);
    const text = files.map((file) => readFileSync(file, "utf8")).join("");
    const lines = text.trim().split("\n");
    const numbers = lines.map((line) => (JSON.parse(line) as { line: number }).line);
    expect(numbers.length).toBeGreaterThan(1);
    expect(numbers).toEqual(numbers.map((_, index) => 1_000 - numbers.length + index));
    for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("counts what an earlier daemon wrote, and takes what others append to it", () => {
    const path = join(directory, "daemon.log");
    logTo(path, MAX_BYTES).info({ text: "x".repeat(MAX_BYTES - 200) }, "long ago");
    const logger = logTo(path, MAX_BYTES);
    logger.info({ text: "y".repeat(200) }, "today");
    appendFileSync(path, "a crash\n");

    expect(readFileSync(`${path}.1`, "utf8")).toContain("long ago");
    expect(readFileSync(path, "utf8")).toMatch(/^[^\n]*today[^\n]*\na crash\n$/);
  });
});
