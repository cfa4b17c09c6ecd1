import { join } from "node:path";
import { newId } from "@daemon-sdk/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FleetBench } from "../../fleet/test/support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../../fleet/test/support/nats-server.js";
import { pageOf } from "../src/daemon/index.js";
import { createHttpHandler, fileCursors, type HttpHandler } from "../src/index.js";
import { serveFleet } from "../src/serve.js";
import { byName, requestOf } from "./support/gateway.js";
import { EventParser, readUntil } from "./support/read-events.js";
import { startReceiver } from "./support/receiver.js";

let tenants = 0;

describe.skipIf(!HAS_NATS)(`a fleet behind the gateway${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;
  let handler: HttpHandler;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    tenants += 1;
    bench = new FleetBench(server.url, `http-${tenants}`);
  });
  afterEach(async () => {
    await handler.close();
    await bench[Symbol.asyncDispose]();
  });

  const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    handler(requestOf(method, path, body, headers));
  const read = async (path: string) => (await call("GET", path)).json();

  async function open(options: Parameters<typeof createHttpHandler>[1] = { authorize: byName }) {
    const fleet = await bench.service();
    handler = createHttpHandler(fleet, options);
    return fleet;
  }

  test("a session is made where its needs are met, and every route of it leads there", async () => {
    await bench.machine("eu-1", { labels: { region: "eu" } });
    await bench.machine("us-1", { labels: { region: "us" } });
    await open();
    expect(await read("/machines")).toMatchObject({
      machines: [
        { machineId: "eu-1", state: "online", labels: { region: "eu" }, load: 0 },
        { machineId: "us-1", state: "online" },
      ],
    });
    const sessionId = newId();
    const wanted = { sessionId, cwd: bench.directory, agent: "echo", labels: { region: "us" } };
    const made = await call("POST", "/sessions", wanted);
    expect(made.status).toBe(201);
    expect((await call("POST", "/sessions", wanted)).status).toBe(201);
    const { lastEventId } = await made.json();
    const sent = await call(
      "POST",
      `/sessions/${sessionId}/messages`,
      { text: "a red herring" },
      { "idempotency-key": "m" },
    );
    expect(sent.status).toBe(202);
    expect(await read(`/sessions/${sessionId}/receipts/m?wait=30`)).toMatchObject({
      state: "completed",
      text: "Echo: a red herring",
    });
    const events = await call("GET", `/sessions/${sessionId}/events`, undefined, { "last-event-id": lastEventId });
    expect((await readUntil(events, ({ event }) => event === "result")).at(-1)?.data).toMatchObject({ turnId: "m" });
    expect((await call("PATCH", `/sessions/${sessionId}`, { title: "Fish" })).status).toBe(204);
    expect(await read(`/sessions/${sessionId}`)).toMatchObject({ sessionId, title: "Fish" });
    expect(await read("/sessions")).toMatchObject({ sessions: [{ sessionId, machineId: "us-1" }], missing: [] });
    await expect
      .poll(() => read("/search?query=herring"))
      .toMatchObject({ sessions: [{ sessionId, machineId: "us-1" }], missing: [] });
    expect((await call("DELETE", `/sessions/${sessionId}`)).status).toBe(204);
    expect((await call("GET", `/sessions/${sessionId}`)).status).toBe(404);
    const unmet = await call("POST", "/sessions", { labels: { region: "mars" } });
    expect(unmet.status).toBe(503);
    expect(await unmet.json()).toMatchObject({ code: "NO_MACHINE" });
  });

  test("requests of all machines are listed, and answered where they are; another answer is refused with the one that counts", async () => {
    for (const id of ["m-1", "m-2"]) await bench.machine(id);
    const fleet = await open();
    const connection = await fleet.connection("m-2");
    const { sessionId } = await connection.createSession({ agent: "asking", cwd: bench.directory });
    await call("POST", `/sessions/${sessionId}/messages`, { text: "touch it" }, { "idempotency-key": "m" });
    await expect
      .poll(() => read("/requests"))
      .toMatchObject({ requests: [{ sessionId, machineId: "m-2" }], missing: [] });
    const [{ requestId }] = (await read(`/requests?sessionId=${sessionId}`)).requests;
    const answer = (selectedOption: string) => call("POST", `/requests/${requestId}/answer`, { selectedOption });
    expect((await answer("proceed_once")).status).toBe(204);
    expect(await read(`/sessions/${sessionId}/receipts/m?wait=30`)).toMatchObject({ text: "Done: touch it" });
    const late = await answer("cancel");
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({ outcome: { selectedOption: "proceed_once" } });
    expect((await call("POST", "/requests/nobody/answer", { selectedOption: "cancel" })).status).toBe(409);
  });

  test("events go on after the restart of the machine, by Last-Event-ID, too, and so do deliveries", async () => {
    const { daemon } = await bench.machine("m-1");
    await using receiver = await startReceiver();
    const webhooks = { cursors: fileCursors(join(bench.directory, "hooks")), receivers: [receiver.origin], pauseMs: 1 };
    await open({ authorize: byName, webhooks });
    const sessionId = newId();
    await call("POST", "/sessions", { sessionId, cwd: bench.directory });
    expect((await call("POST", "/webhooks", { url: receiver.origin, sessionId })).status).toBe(201);
    const parser = new EventParser();
    const follow = () =>
      call(
        "GET",
        `/sessions/${sessionId}/events`,
        undefined,
        parser.lastId === "" ? {} : { "last-event-id": parser.lastId },
      );
    const open1 = await follow();
    const first = readUntil(open1, ({ event }) => event === "result", parser);
    await call("POST", `/sessions/${sessionId}/messages`, { text: "one" });
    await first;
    const live = readUntil(await follow(), ({ event }) => event === "result", parser);
    await daemon.close({ drainMs: 0 });
    await bench.machine("m-1");
    await call("POST", `/sessions/${sessionId}/messages`, { text: "two" });
    expect((await live).at(-1)?.data).toMatchObject({ text: "Echo: two" });
    await receiver.until(({ json: { data } }) => Object(data).text === "Echo: two");
    const results = receiver.received.filter(({ json: { type } }) => type === "result");
    expect(results.map(({ json: { data } }) => Object(data).text)).toEqual(["Echo: one", "Echo: two"]);
  });

  test("a server of a fleet takes the callers with its keys, and closes without the fleet", async () => {
    await bench.machine("m-1");
    const fleet = await open();
    const served = await serveFleet(fleet, { apiKeys: async () => ["the-key"] });
    const answer = (authorization: string) =>
      fetch(`http://127.0.0.1:${served.port}/machines`, { headers: { authorization } });
    expect((await answer("Bearer another")).status).toBe(401);
    expect(await (await answer("Bearer the-key")).json()).toMatchObject({ machines: [{ machineId: "m-1" }] });
    await served.close();
    expect((await fleet.connection("m-1")).capabilities.agents).toContain("echo");
  });

  test("a machine that is away is missing from lists, and its sessions are answered with 503", async () => {
    await bench.machine("m-1");
    const { membership } = await bench.machine("m-2");
    const fleet = await open();
    const { sessionId } = await (await fleet.connection("m-2")).createSession({ cwd: bench.directory });
    await fleet.resumeSession(sessionId);
    await membership.leave();
    await expect.poll(() => read("/machines")).toMatchObject({ machines: [{}, { state: "lost" }] });
    const missing = [{ machineId: "m-2", code: "MACHINE_GONE" }];
    for (const path of ["/sessions", "/requests", "/search?query=x"])
      expect(await read(path)).toMatchObject({ missing });
    const gone = await call("GET", `/sessions/${sessionId}`);
    expect(gone.status).toBe(503);
    expect(await gone.json()).toMatchObject({ code: "MACHINE_GONE", retryable: true });
  });
});

test("a page of several lists has no gap: it ends where the first of the lists may go on", () => {
  const at = (updatedAt: number) => ({ sessionId: String(updatedAt), updatedAt });
  const all = [9, 8, 7, 6, 5, 4].map(at);
  expect(pageOf(all.slice(0, 2), [], 3)).toEqual({ sessions: all.slice(0, 2), hasMore: false });
  expect(pageOf(all, [], 3)).toEqual({ sessions: all.slice(0, 3), hasMore: true, nextCursor: 7 });
  // One list has more before 7.5, so what others have before that waits.
  expect(pageOf([at(9), at(7), at(3), at(2)], [7.5], 2)).toMatchObject({ hasMore: true, nextCursor: 7.5 });
  expect(pageOf([at(9), at(7), at(3)], [7.5], 5).sessions).toEqual([at(9), at(7)]);
  expect(pageOf([], [], 5)).toEqual({ sessions: [], hasMore: false });
});
