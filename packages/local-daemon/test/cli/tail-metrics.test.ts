import type { MetricMinute } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { type TailMetricsOptions, tailMetrics } from "../../src/cli/daemon/tail-metrics-command.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { type DaemonDesk, daemonDesk } from "../server/daemon-desk.js";

/** What the command printed: text, and documents. */
async function printed(desk: DaemonDesk, options: Partial<TailMetricsOptions>) {
  const out = { text: "", notes: [] as string[], documents: [] as unknown[] };
  const terminal: Terminal = {
    answer: (text) => {
      out.text += text;
    },
    note: (line) => void out.notes.push(line),
    json: (value) => void out.documents.push(value),
    progress: () => ({ [Symbol.dispose]: () => {} }),
    isInteractive: false,
    columns: undefined,
  };
  const { stateDir } = desk;
  const interrupted = new AbortController().signal;
  const shared = { stateDir, terminal, interrupted, json: false, minutes: 60, once: true, counts: false };
  await tailMetrics({ ...shared, ...options });
  return out;
}

test("tail-metrics prints the minutes of the daemon, and its counts", async () => {
  await using desk = daemonDesk();
  await desk.start();
  const client = await desk.connect();
  const { result } = await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd });
  await client.call("add_user_message", { sessionId: result?.sessionId, text: "say one", messageId: "m1" });
  await client.turnEnd("m1");
  const [minute] = (await printed(desk, { json: true })).documents as MetricMinute[];
  expect(minute).toMatchObject({ turns: 1 });
  const { text, notes } = await printed(desk, {});
  expect(notes).toEqual([expect.stringMatching(/^ +minute +events +turns +p50 ms +p99 ms +lag ms +rss MiB$/)]);
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d +\d+ +1 +\d+\.\d +\d+\.\d +[\d-]+ +\d+\n$/);
  const counts = await printed(desk, { counts: true });
  expect(counts.text).toMatch(/daemon_sdk_turns_ended_total reason=completed +1 /);
  expect(counts.text).toMatch(/daemon_sdk_turn_duration_seconds +[\d.]+ \(mean of 1\)/);
});
