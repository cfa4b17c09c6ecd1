import { expect, test } from "vitest";
import { LOOP_LIMITS } from "../../src/limits/index.js";
import { LagLog } from "../../src/loop/lag-log.js";
import { inLoop } from "../../src/loop/loop-use.js";
import type { LoopListener, LoopReport } from "../../src/loop/loop-watch.js";

/** A log that keeps the warnings, and says when one comes. */
function warnings() {
  const seen: object[] = [];
  let onWarning = () => {};
  const ignore = () => {};
  const warn = (fields: object) => {
    seen.push(fields);
    onWarning();
  };
  const first = new Promise<void>((resolve) => {
    onWarning = resolve;
  });
  return { seen, first, logger: { debug: ignore, info: ignore, warn, error: ignore } };
}

/** A {@link LagLog} that gets its reports from the test. */
function fed(loopLagMs = 200) {
  const log = warnings();
  const listeners = new Set<LoopListener>();
  const lag = new LagLog({
    logger: log.logger,
    loopLagMs,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const report = (fields: Partial<LoopReport>) => {
    for (const listener of listeners) listener({ lagMs: 0, uses: [], cpuMs: 1_000, ...fields });
  };
  return { ...log, lag, report, listeners };
}

function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("work that holds the loop is in the log, with its cause", async () => {
  const { seen, first, logger } = warnings();
  const lag = new LagLog({ logger, loopLagMs: 100 });
  // The watch may have begun in this very tick.
  setTimeout(() => inLoop("agent of session s-1", () => hold(400)), LOOP_LIMITS.sampleMs * 2);
  await first;
  expect(seen[0]).toMatchObject({ causes: [expect.stringMatching(/^agent of session s-1: \d+ ms$/)] });
  expect(lag.lagMs).toBeGreaterThanOrEqual(100);
  lag.close();
});

test("a lag below the bound is no warning, and /health has the longest of the last reports", () => {
  const { seen, lag, report } = fed();
  report({ lagMs: 150.4 });
  expect(seen).toEqual([]);
  expect(lag.lagMs).toBe(150);
  for (let n = 0; n < LOOP_LIMITS.recentReports; n++) report({ lagMs: 3 });
  expect(lag.lagMs).toBe(3);
});

test("only work that matters is named, the longest first", () => {
  const { seen, report } = fed();
  const uses = [400, 150, 30].map((ms, index) => ({ what: `work ${index}`, ms }));
  report({ lagMs: 500, uses });
  expect(seen).toEqual([{ lagMs: 500, stalls: 1, causes: ["work 0: 400 ms", "work 1: 150 ms"] }]);
});

test("a process that was stopped, or got no processor, says so; what is not known is not guessed", () => {
  const stopped = fed();
  stopped.report({ lagMs: 5_000, cpuMs: 20 });
  expect(stopped.seen).toMatchObject([{ causes: [expect.stringMatching(/little processor time/)] }]);
  const unknown = fed();
  unknown.report({ lagMs: 500 });
  expect(unknown.seen).toMatchObject([{ causes: [] }]);
});

test("a loop that is always held is a line from time to time, with the number of stalls", () => {
  const { seen, report } = fed();
  const reports = LOOP_LIMITS.warnMs / LOOP_LIMITS.reportMs;
  for (let n = 0; n <= reports; n++) report({ lagMs: 300 });
  expect(seen).toMatchObject([{ stalls: 1 }, { stalls: reports }]);
});

test("nobody listens after the end", () => {
  const { lag, listeners } = fed();
  lag.close();
  expect(listeners.size).toBe(0);
});
