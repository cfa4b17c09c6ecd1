export { loadOtel, type OtelApi } from "./otel.js";
export { exportMetrics } from "./otel-metrics.js";
export { TurnTraces } from "./turn-traces.js";
