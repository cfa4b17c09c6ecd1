import type { Metric } from "@daemon-sdk/protocol";
import type { Observable } from "@opentelemetry/api";
import { type DaemonMetrics, histogramsOf } from "../metrics/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import type { OtelApi } from "./otel.js";

/**
 * Lets an SDK of OpenTelemetry read the metrics of a daemon, under their names of docs/operations.md without the ends that state unit or
 * kind, which OpenTelemetry states by itself. Returns how to stop that.
 */
export function exportMetrics(otel: OtelApi, metrics: DaemonMetrics, read: () => readonly Metric[]): () => void {
  const meter = otel.metrics.getMeter("@daemon-sdk/local-daemon", LOCAL_DAEMON_VERSION);
  const observed = new Map<Observable, string>();
  const stops: (() => void)[] = [];
  const histograms = histogramsOf(metrics);
  for (const { name, type, help } of read()) {
    const [of, unit] = splitName(name);
    const options = { description: help, unit };
    if (type === "gauge") observed.set(meter.createObservableGauge(of, options), name);
    else if (type === "counter") observed.set(meter.createObservableCounter(of, options), name);
    else {
      const source = histograms.get(name);
      if (source === undefined) continue;
      // Those that an SDK has by itself are for ms: all of ours would be in the first one.
      const advice = { explicitBucketBoundaries: source.boundsMs.map((ms) => ms / 1000) };
      const histogram = meter.createHistogram(of, { ...options, advice });
      source.mirror = (ms) => histogram.record(ms / 1000);
      stops.push(() => {
        source.mirror = undefined;
      });
    }
  }
  const observe = (result: {
    observe: (metric: Observable, value: number, labels?: Record<string, string>) => void;
  }) => {
    const found = new Map(read().map((metric) => [metric.name, metric]));
    for (const [instrument, name] of observed) {
      for (const { value, labels } of found.get(name)?.samples ?? []) result.observe(instrument, value, labels);
    }
  };
  const instruments = [...observed.keys()];
  meter.addBatchObservableCallback(observe, instruments);
  stops.push(() => meter.removeBatchObservableCallback(observe, instruments));
  return () => {
    for (const stop of stops) stop();
  };
}

/** `daemon_sdk_turn_wait_seconds` is `daemon_sdk.turn_wait` in seconds. */
function splitName(name: string): [of: string, unit: string] {
  const unit = /_seconds(_total)?$/.test(name) ? "s" : /_bytes(_total)?$/.test(name) ? "By" : "1";
  return [
    name
      .replace(/_total$/, "")
      .replace(/_(seconds|bytes)$/, "")
      .replace(/^daemon_sdk_/, "daemon_sdk."),
    unit,
  ];
}
