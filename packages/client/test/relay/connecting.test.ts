import { LIMITS } from "@daemon-sdk/protocol";
import { describe, expect, test, vi } from "vitest";
import { RelayDesk } from "./relay-desk.js";

const desk = new RelayDesk();

describe("connecting", () => {
  test("HELLO says who connects and asks for receipts", async () => {
    const { client, hello } = await desk.connect({ cli: "claude", task: "demo", team: "core" });
    expect(hello).toEqual({
      agent: "Alice",
      cli: "claude",
      task: "demo",
      team: "core",
      capabilities: {
        ack: true,
        resume: true,
        max_inflight: 256,
        supports_topics: true,
        batches: true,
        receipts: true,
      },
      process_credential: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect([client.state, client.sessionId, client.isResumed]).toEqual(["ready", "s-1", false]);
  });

  test("HELLO shows the same credential for every client of a process, or the one that is given", async () => {
    const first = await desk.connect({ agentName: "Alice" });
    const second = await desk.connect({ agentName: "Bob" });
    const given = await desk.connect({ agentName: "Carl", processCredential: "kept by the program" });
    expect(second.hello.process_credential).toBe(first.hello.process_credential);
    expect(given.hello.process_credential).toBe("kept by the program");
    expect(() => desk.makeClient({ processCredential: "short" })).toThrow("processCredential");
  });

  test("nobody there is CONNECTION_FAILED at once, and connect may be called again", async () => {
    await desk.hub.stop();
    const client = desk.makeClient();
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    expect(client.state).toBe("idle");
    await desk.hub.listen();
    const connected = client.connect();
    (await desk.hub.link()).welcome();
    await connected;
  });

  test("a daemon that does not answer HELLO is CONNECT_TIMEOUT", async () => {
    const client = desk.makeClient({ connectTimeoutMs: 30 });
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
    await (await desk.hub.link()).ended;
  });

  test("an aborted connect rejects with the reason and leaves no link", async () => {
    const controller = new AbortController();
    const client = desk.makeClient();
    const connected = client.connect({ signal: controller.signal });
    const link = await desk.hub.link();
    await link.next("HELLO");
    controller.abort(new RangeError("enough"));
    await expect(connected).rejects.toThrow("enough");
    await link.ended;
  });

  test.each([
    ["DUPLICATE_CONNECTION", "NAME_TAKEN"],
    ["UNAUTHORIZED", "AUTH_REJECTED"],
    ["BAD_REQUEST", "CONNECTION_LOST"],
  ])("a fatal %s ends the client with %s, and it does not come back", async (code, expected) => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    link.send("ERROR", { code, message: "go away", fatal: true });
    expect(await client.closed).toMatchObject({ code: expected });
    await expect(messages.next()).rejects.toMatchObject({ code: expected });
    await link.ended;
    expect([client.state, desk.hub.linkCount]).toEqual(["closed", 1]);
  });

  test("a fatal ERROR before WELCOME rejects connect", async () => {
    const client = desk.makeClient({ agentName: "system" });
    const connected = client.connect();
    const link = await desk.hub.link();
    link.send("ERROR", { code: "BAD_REQUEST", message: "reserved", fatal: true });
    await expect(connected).rejects.toThrow("reserved");
    expect(client.state).toBe("closed");
  });

  test("close says BYE, resolves when the link is gone, and later calls reject", async () => {
    const { client, link } = await desk.connect();
    const closing = client.close();
    await link.next("BYE");
    await closing;
    expect(await client.closed).toBeUndefined();
    await expect(client.send("Bob", "late")).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
  });

  test.each([0, 8])(
    "close waits a moment only for a daemon that does not read; %i messages come once it does (F13)",
    async (count) => {
      const { client, link } = await desk.connect();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      link.pause();
      // More than a socket takes at once.
      for (let number = 0; number < count; number += 1) client.send("Bob", "x".repeat(100_000)).catch(() => {});
      const closing = client.close();
      await vi.advanceTimersByTimeAsync(50);
      await closing;
      link.resume();
      await link.next("BYE");
      expect(link.received.filter(({ type }) => type === "SEND")).toHaveLength(count);
      await vi.advanceTimersByTimeAsync(2_000);
      await link.ended;
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test("await using closes", async () => {
    const client = desk.makeClient();
    {
      await using mine = client;
      const connected = mine.connect();
      (await desk.hub.link()).welcome();
      await connected;
    }
    expect(client.state).toBe("closed");
  });

  test("pings are answered with their nonce, and a silent daemon counts as gone", async () => {
    const { link } = await desk.connect({}, { heartbeatMs: 10 });
    link.send("PING", { nonce: "n-1" });
    expect((await link.next("PONG")).payload).toEqual({ nonce: "n-1" });
    await link.ended;
    await desk.comeBack();
  });

  test("a client that stood still for longer than that hears what came meanwhile, and stays", async () => {
    const { client, link } = await desk.connect({}, { heartbeatMs: 20 });
    link.send("PING", { nonce: "n-1" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 * (LIMITS.relayMissedBeats + 2));
    expect((await link.next("PONG")).payload).toEqual({ nonce: "n-1" });
    expect(client.state).toBe("ready");
  });

  test.each([
    [{ agentName: "" }, "agentName"],
    [{ maxQueued: -1 }, "maxQueued"],
    [{ url: "ws://x/" }, "socketPath"],
  ])("a wrong option is refused before anything is done: %o", (options, option) => {
    expect(() => desk.makeClient(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", option }));
  });
});
