export { DaemonMetrics } from "./daemon-metrics.js";
export { type Gauges, histogramsOf, metricsReport, type StoredOf } from "./metrics-report.js";
export { PROMETHEUS_TYPE, prometheusText } from "./prometheus-text.js";
