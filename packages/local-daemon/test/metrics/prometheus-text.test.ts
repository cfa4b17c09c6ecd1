import { readFileSync } from "node:fs";
import parse from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { DaemonMetrics } from "../../src/metrics/daemon-metrics.js";
import { type Gauges, metricsReport } from "../../src/metrics/metrics-report.js";
import { prometheusText } from "../../src/metrics/prometheus-text.js";

const GAUGES: Gauges = {
  openSessions: 3,
  runningTurns: 1,
  queuedTurns: 2,
  queuedBytes: 20,
  pendingRequests: 4,
  connections: 5,
  relayConnections: 6,
  outboxes: [{ machineId: "m-2", letters: 3, bytes: 900, oldestMs: 4_500, deadLetters: 1 }],
  replica: { entries: 9, bytes: 900, since: 1_000 },
  liveAgents: 7,
  startingAgents: 1,
  waitingAgents: 0,
  loopLagSeconds: 0.25,
  stored: [{ principal: "person", bytes: 3, maxBytes: 8 }],
  storeBytes: 4096,
  version: '1.2 "beta"\\',
};

test("a parser of Prometheus reads every metric with its type and value", () => {
  const metrics = new DaemonMetrics({ now: () => 5_000 });
  metrics.turnEnded("completed", 1_000, 1_200);
  metrics.turnEnded("a reason of an agent's own", undefined, 0);
  metrics.delivered(3, 300, 2);
  const report = metricsReport(metrics, GAUGES, 6_000).metrics;
  const families = parse(prometheusText(report));
  expect(families.map(({ name, type }) => [name, type.toLowerCase()])).toEqual(
    report.map(({ name, type }) => [name, type]),
  );
  const found = new Map(families.map((family) => [family.name, family]));
  const one = (name: string) => found.get(`daemon_sdk_${name}`)?.metrics[0];
  expect(one("loop_lag_seconds")?.value).toBe("0.25");
  expect(one("journal_entries_total")?.value).toBe("3");
  expect(one("outbox_oldest_seconds")).toMatchObject({ value: "4.5", labels: { machine: "m-2" } });
  expect(one("info")?.labels).toEqual({ version: GAUGES.version });
  const ended = found.get("daemon_sdk_turns_ended_total")?.metrics ?? [];
  const counts = Object.fromEntries(ended.map(({ labels, value }) => [labels?.reason, value]));
  expect(counts).toMatchObject({ completed: "1", other: "1", cancelled: "0" });
  const duration = one("turn_duration_seconds");
  expect([duration?.count, duration?.sum]).toEqual(["1", "0.2"]);
  expect(duration?.buckets).toMatchObject({ "0.1": "0", "0.25": "1", "3600": "1", "+Inf": "1" });
});

test("each metric has one name, an end that states its unit or that it counts, and help", () => {
  const report = metricsReport(new DaemonMetrics(), GAUGES, 0).metrics;
  expect(new Set(report.map(({ name }) => name)).size).toBe(report.length);
  for (const { name, type, help } of report) {
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name.endsWith("_seconds") || type !== "histogram", name).toBe(true);
    expect(help).toMatch(/^[A-Z].*\.$/);
  }
});

test("docs/operations.md lists each metric with its type, and no other", () => {
  const docs = readFileSync(new URL("../../../../docs/operations.md", import.meta.url), "utf8");
  const listed = [...docs.matchAll(/^\| `([a-z_]+)(?:\{[a-z]+\})?` \| (counter|gauge|histogram) \|/gm)];
  const report = metricsReport(new DaemonMetrics(), GAUGES, 0).metrics;
  const expected = report.map(({ name, type }) => [name, type]);
  expect(Object.fromEntries(listed.map(([, name = "", type]) => [name, type]))).toEqual(Object.fromEntries(expected));
});
