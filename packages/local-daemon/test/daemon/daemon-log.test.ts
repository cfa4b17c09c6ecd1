import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createDaemonLog } from "../../src/daemon/daemon-log.js";
import { readableLine } from "../../src/daemon/readable-line.js";

test("a line has the time of its event, also when the log is opened later", async () => {
  const directory = mkdtempSync(join(tmpdir(), "log-"));
  try {
    const file = join(directory, "daemon.log");
    const log = createDaemonLog("info");
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.UTC(2026, 0, 1, 0, 0, 1));
    log.info({ number: 1 }, "early");
    clock.mockReturnValue(Date.UTC(2026, 0, 1, 0, 0, 9));
    await log.open({ file, toStdout: false });
    log.warn({ number: 2 }, "late");
    clock.mockRestore();
    const lines = readFileSync(file, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: "info", time: "2026-01-01T00:00:01.000Z", number: 1, msg: "early" },
      { level: "warn", time: "2026-01-01T00:00:09.000Z", number: 2, msg: "late" },
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("at a terminal a line is readable, and controls nothing", () => {
  const time = new Date(2026, 0, 1, 13, 4, 5).toISOString();
  const line = JSON.stringify({ level: "warn", time, session: "s\u001b[2J", msg: "held\u0007" });
  expect(readableLine(line, { isStyled: false })).toBe('13:04:05 WARN  held  session="s\\u001b[2J"\n');
  expect(readableLine(line, { isStyled: true })).toContain("\u001b[33m");
  expect(readableLine("a crash\n", { isStyled: true })).toBe("a crash\n");
});
