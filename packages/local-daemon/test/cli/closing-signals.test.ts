import { EventEmitter, once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { ClosingSignals } from "../../src/daemon/closing-signals.js";
import { daemonHome } from "../rendezvous/daemon-home.js";
import { spawnDaemon } from "../support/failpoints.js";

function watched() {
  const source = new EventEmitter();
  const closes: object[] = [];
  const daemon = { close: async (options: object = {}) => void closes.push(options) };
  return { source, closes, daemon, signals: new ClosingSignals(source) };
}

test("the first signal lets running turns finish, the second does not", () => {
  const { source, closes, daemon, signals } = watched();
  signals.started(daemon);
  source.emit("SIGTERM");
  source.emit("SIGINT");
  expect(closes).toEqual([{}, { drainMs: 0 }]);
  signals[Symbol.dispose]();
  expect(source.eventNames()).toEqual([]);
});

test("a hang-up ends a daemon that has a terminal, and not one that has none, as in the background or under nohup", () => {
  for (const hasTerminal of [true, false]) {
    const source = new EventEmitter();
    const closes: object[] = [];
    using signals = new ClosingSignals(source, hasTerminal);
    signals.started({ close: async (options: object = {}) => void closes.push(options) });
    source.emit("SIGHUP", "SIGHUP");
    expect(closes).toEqual(hasTerminal ? [{}] : []);
  }
});

test("a signal that comes before the daemon is there ends it as soon as it is", () => {
  const { source, closes, daemon, signals } = watched();
  source.emit("SIGTERM");
  expect(closes).toEqual([]);
  signals.started(daemon);
  expect(closes).toEqual([{}]);
});

test("a daemon that is told to end while it starts ends in order, and leaves nothing published", async () => {
  await using home = daemonHome();
  const child = spawnDaemon(home.state);
  const exit = once(child, "exit");
  while (!existsSync(join(home.state, "lock.db"))) await nextTick();
  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  expect(readdirSync(home.state)).not.toContain("endpoint.json");
});
