import { describe, expect, test } from "vitest";
import { RelayDesk } from "./relay-desk.js";

const desk = new RelayDesk();

describe("sending", () => {
  test.each(["delivered", "queued"] as const)("resolves with the receipt: %s", async (state) => {
    const { client, link } = await desk.connect();
    const sent = client.send("Bob", "hi", { thread: "t", data: { n: 1 }, importance: 80 });
    const send = await link.next("SEND");
    expect(send).toMatchObject({
      to: "Bob",
      payload: { kind: "message", body: "hi", thread: "t", data: { n: 1 } },
      payload_meta: { importance: 80 },
    });
    link.send("RECEIPT", { ref_id: send.id, state, to: "Bob" });
    expect(await sent).toEqual({ id: send.id, state });
  });

  test("an ERROR or BUSY that names the message is its refusal", async () => {
    const { client, link } = await desk.connect();
    const sent = [client.send("Zed", "a"), client.send("Bob", "b")];
    const [a, b] = [await link.next("SEND"), await link.next("SEND")];
    link.send("ERROR", { code: "NOT_FOUND", message: "no Zed", fatal: false, ref_id: a.id });
    link.send("RECEIPT", { ref_id: a.id, state: "refused", to: "Zed" });
    link.send("BUSY", { retry_after_ms: 40, queue_depth: 9, ref_id: b.id });
    const [first, second] = await Promise.all(sent);
    expect(first).toMatchObject({ state: "refused", code: "NOT_FOUND", reason: "no Zed" });
    expect(second).toMatchObject({ state: "refused", code: "BUSY", retryAfterMs: 40 });
  });

  test("a daemon without receipts gives `sent` once the bytes have left", async () => {
    const { client, link } = await desk.connect({}, { receipts: false });
    expect(await client.send("Bob", "hi")).toMatchObject({ state: "sent" });
    await link.next("SEND");
  });

  test("what is sent while away waits, leaves in order, and gets its receipts", async () => {
    const { client, link } = await desk.connect();
    const lost = new Promise((resolve) => {
      client.onError = resolve;
    });
    link.cut();
    expect(await lost).toMatchObject({ code: "CONNECTION_LOST" });
    const sent = [client.send("Bob", "one"), client.send("Bob", "two")];
    expect(client.queuedMessages).toBe(2);
    const { link: second } = await desk.comeBack();
    for (const body of ["one", "two"]) {
      const send = await second.next("SEND");
      expect(send.payload.body).toBe(body);
      second.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    }
    expect((await Promise.all(sent)).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
  });

  test("the queue is bounded in messages and in bytes", async () => {
    const client = desk.makeClient({ maxQueued: 2, maxQueuedBytes: 1000 });
    const kept = [client.send("Bob", "a"), client.send("Bob", "b")];
    await expect(client.send("Bob", "c")).rejects.toMatchObject({ code: "QUEUE_FULL", retryable: true });
    const other = desk.makeClient({ maxQueuedBytes: 1000 });
    await expect(other.send("Bob", "x".repeat(1000))).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const settled = Promise.allSettled(kept);
    await client.close();
    expect(await settled).toMatchObject([
      { status: "rejected", reason: { code: "CONNECTION_CLOSED" } },
      { status: "rejected", reason: { code: "CONNECTION_CLOSED" } },
    ]);
  });

  test("a message whose receipt was lost with the link rejects, and is not sent again", async () => {
    const { client, link } = await desk.connect();
    const sent = client.send("Bob", "maybe");
    await link.next("SEND");
    link.cut();
    await expect(sent).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    const { link: second } = await desk.comeBack();
    const later = client.send("Bob", "sure");
    const send = await second.next("SEND");
    expect(send.payload.body).toBe("sure");
    second.send("RECEIPT", { ref_id: send.id, state: "queued", to: "Bob" });
    await later;
  });

  test("an aborted send that still waits never leaves", async () => {
    const client = desk.makeClient();
    const controller = new AbortController();
    const gone = client.send("Bob", "no", { signal: controller.signal });
    const kept = client.send("Bob", "yes");
    controller.abort(new RangeError("never mind"));
    await expect(gone).rejects.toThrow("never mind");
    const connected = client.connect();
    const link = await desk.hub.link();
    link.welcome({ receipts: false });
    await connected;
    expect((await link.next("SEND")).payload.body).toBe("yes");
    await kept;
  });

  test("a message over the daemon's frame limit rejects and costs no other", async () => {
    const { client, link } = await desk.connect();
    await expect(client.send("Bob", "x".repeat(1_100_000))).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    const sent = client.send("Bob", "small");
    const send = await link.next("SEND");
    link.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    await sent;
  });
});
