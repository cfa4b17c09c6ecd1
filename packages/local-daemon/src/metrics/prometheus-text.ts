import type { Metric, MetricSample } from "@daemon-sdk/protocol";

/** Media type of {@link prometheusText}. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Metrics in the text format 0.0.4 of Prometheus, which every later version and OpenMetrics collectors read.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics.map(metricText).join("");
}

function metricText({ name, type, help, samples }: Metric): string {
  const head = `# HELP ${name} ${escaped(help, /[\\\n]/g)}\n# TYPE ${name} ${type}\n`;
  const lines = samples.flatMap((sample) =>
    type === "histogram" ? histogramLines(name, sample) : [line(name, sample)],
  );
  return `${head}${lines.join("\n")}\n`;
}

function histogramLines(name: string, { labels, value, count = 0, buckets = [] }: MetricSample): string[] {
  const bucket = (le: string, upTo: number) => line(`${name}_bucket`, { labels: { ...labels, le }, value: upTo });
  return [
    ...buckets.map(({ le, count: upTo }) => bucket(String(le), upTo)),
    bucket("+Inf", count),
    line(`${name}_sum`, { ...(labels && { labels }), value }),
    line(`${name}_count`, { ...(labels && { labels }), value: count }),
  ];
}

function line(name: string, { labels = {}, value }: MetricSample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text, /[\\\n"]/g)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escaped(text: string, special: RegExp): string {
  return text.replace(special, (found) => (found === "\n" ? "\\n" : `\\${found}`));
}
