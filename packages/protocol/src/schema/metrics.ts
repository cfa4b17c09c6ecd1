import * as z from "zod/mini";
import type { GetMetricsResult, Metric, MetricMinute } from "../session/index.js";

const number = z.number();
const optional = z.exactOptional(number);

/** Schema of {@link Metric}. */
export const metricSchema: z.ZodMiniType<Metric> = z.looseObject({
  name: z.string(),
  type: z.enum(["counter", "gauge", "histogram"]),
  help: z.string(),
  samples: z.array(
    z.looseObject({
      labels: z.exactOptional(z.record(z.string(), z.string())),
      value: number,
      count: optional,
      buckets: z.exactOptional(z.array(z.looseObject({ le: number, count: number }))),
    }),
  ),
});

/** Schema of {@link MetricMinute}. */
export const metricMinuteSchema: z.ZodMiniType<MetricMinute> = z.looseObject({
  at: number,
  durationMs: number,
  events: number,
  turns: number,
  latencyP50Ms: optional,
  latencyP99Ms: optional,
  loopLagMs: optional,
  rssBytes: number,
});

/** Schema of {@link GetMetricsResult}. */
export const getMetricsResultSchema: z.ZodMiniType<GetMetricsResult> = z.looseObject({
  at: number,
  startedAt: number,
  metrics: z.array(metricSchema),
  minutes: z.array(metricMinuteSchema),
});
