import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { PROCESS_LIMITS } from "../../src/limits/index.js";
import { type EndpointRecord, writeEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { EndpointWatch } from "../../src/rendezvous/endpoint-watch.js";
import { tempDir } from "../agents/agent-harness.js";

const RECORD: EndpointRecord = { socket: "/s", pid: 1, startTime: "now", instanceId: "i", version: "1" };

const { watchedPollMs, pollMaxMs } = PROCESS_LIMITS;
afterEach(() => void Object.assign(PROCESS_LIMITS, { watchedPollMs, pollMaxMs }));

test("is woken by the endpoint file, and not by time alone", async () => {
  Object.assign(PROCESS_LIMITS, { watchedPollMs: 60_000, pollMaxMs: 60_000 });
  const { path } = await tempDir();
  using watch = new EndpointWatch(path);
  const waiting = watch.next(AbortSignal.timeout(5_000));
  writeFileSync(join(path, "other"), "");
  await writeEndpoint(path, RECORD);
  await expect(waiting).resolves.toBeUndefined();
});

test("a change between two waits is not missed", async () => {
  Object.assign(PROCESS_LIMITS, { watchedPollMs: 60_000, pollMaxMs: 60_000 });
  const { path } = await tempDir();
  using watch = new EndpointWatch(path);
  watch.wake();
  await expect(watch.next(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
});

test("looks again after a pause where nothing notifies", async () => {
  using watch = new EndpointWatch("/nowhere/at/all");
  await watch.next(AbortSignal.timeout(5_000));
  expect(watch.elapsedMs).toBeGreaterThanOrEqual(PROCESS_LIMITS.pollMs - 1);
});

test("ends with the reason of its signal", async () => {
  const { path } = await tempDir();
  using watch = new EndpointWatch(path);
  const abort = new AbortController();
  const waiting = watch.next(abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(watch.next(abort.signal)).rejects.toThrow("enough");
});
