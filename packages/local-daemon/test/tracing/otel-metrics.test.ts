import * as otel from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { expect, test } from "vitest";
import { METRICS_LIMITS } from "../../src/limits/index.js";
import { daemonDesk } from "../server/daemon-desk.js";

test("an SDK that is registered reads the counts of the daemon, with units and labels", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  otel.metrics.setGlobalMeterProvider(provider);
  try {
    await using desk = daemonDesk();
    await desk.start();
    const client = await desk.connect();
    const { result } = await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd });
    await client.call("add_user_message", { sessionId: result.sessionId, text: "say one", messageId: "m1" });
    await client.turnEnd("m1");
    await provider.forceFlush();
  } finally {
    otel.metrics.disable();
    await provider.shutdown();
  }
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  const found = new Map(all.map((metric) => [metric.descriptor.name, metric]));
  const ended = found.get("daemon_sdk.turns_ended")?.dataPoints ?? [];
  expect(ended.find(({ attributes }) => attributes.reason === "completed")?.value).toBe(1);
  expect(found.get("daemon_sdk.turn_duration")).toMatchObject({
    descriptor: { unit: "s" },
    dataPoints: [
      { value: { count: 1, buckets: { boundaries: METRICS_LIMITS.durationBucketsMs.map((ms) => ms / 1000) } } },
    ],
  });
  expect(found.get("daemon_sdk.store")?.descriptor.unit).toBe("By");
});
