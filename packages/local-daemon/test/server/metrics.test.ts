import type { GetMetricsResult, Metric } from "@daemon-sdk/protocol";
import parse from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { daemonDesk } from "./daemon-desk.js";
import { scrape } from "./scrape.js";

const KEY = "a-key-without-a-policy";
const CONFINED = "a-key-that-is-confined";
const S = "5a000000-0000-4000-8000-00000000000b";

function metricOf({ metrics }: { metrics: readonly Metric[] }, name: string, label?: string): number | undefined {
  const { samples = [] } = metrics.find((metric) => metric.name === `daemon_sdk_${name}`) ?? {};
  return samples.find(({ labels = {} }) => label === undefined || Object.values(labels).includes(label))?.value;
}

test("a turn is counted on its way, in get_metrics and in /metrics", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  const client = await desk.connect();
  await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd, sessionId: S });
  await client.call("add_user_message", { sessionId: S, text: "count 3 every 1", messageId: "m1" });
  await client.call("add_user_message", { sessionId: S, text: "say two", messageId: "m2" });
  await client.turnEnd("m2");
  const result = (await client.call("get_metrics", {})).result as unknown as GetMetricsResult;
  const counted = ["turns_accepted_total", "turns_handed_total", "agent_starts_total", "turns_running", "agents_live"];
  expect(counted.map((name) => metricOf(result, name))).toEqual([2, 2, 1, 0, 1]);
  expect(metricOf(result, "turns_ended_total", "completed")).toBe(2);
  expect(metricOf(result, "sessions_open")).toBe(1);
  expect(metricOf(result, "store_bytes")).toBeGreaterThan(10_000);
  const entries = metricOf(result, "journal_entries_total") ?? 0;
  expect(entries).toBeGreaterThan(10);
  const [minute] = result.minutes;
  expect(minute).toMatchObject({ turns: 2 });
  expect(minute?.events).toBeLessThanOrEqual(entries);
  expect(minute?.latencyP99Ms).toBeGreaterThan(0);

  const { socketPath = "" } = daemon.endpoint;
  const { status, type, text } = await scrape({ socketPath });
  expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const ended = parse(text).find(({ name }) => name === "daemon_sdk_turns_ended_total");
  expect(ended?.metrics[0]).toMatchObject({ labels: { reason: "completed" }, value: "2" });
});

test("on the port /metrics wants a key, and one whose policy lets it", async () => {
  await using desk = daemonDesk();
  const confined = { key: CONFINED, autonomy: "low" as const };
  const daemon = await desk.start({ port: 0, apiKeys: [KEY, confined] });
  const { port = 0 } = daemon.endpoint;
  const statusOf = async (key?: string) => (await scrape({ port }, key)).status;
  expect([await statusOf(), await statusOf("wrong"), await statusOf(CONFINED), await statusOf(KEY)]).toEqual([
    401, 401, 403, 200,
  ]);
  const client = await desk.connect({ apiKey: CONFINED });
  expect((await client.call("get_metrics", {})).error?.data).toMatchObject({ code: "NOT_ALLOWED" });
  await daemon.reload({ port: 0, apiKeys: [KEY, { ...confined, metrics: true }] });
  expect(await statusOf(CONFINED)).toBe(200);
});
