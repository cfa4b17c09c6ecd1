import { describe, expect, test } from "vitest";
import { RelayDesk, take } from "./relay-desk.js";

const desk = new RelayDesk();

describe("exchanges", () => {
  test("sendAndWait resolves with the ACK that carries its correlation", async () => {
    const { client, link } = await desk.connect();
    const answered = client.sendAndWait("Bob", "ready?", { timeoutMs: 5000 });
    const send = await link.next("SEND");
    expect(send.payload_meta).toEqual({ sync: { correlationId: send.id, timeoutMs: 5000, blocking: true } });
    link.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    link.send(
      "ACK",
      { ack_id: "d", seq: 1, correlationId: send.id, response: "OK", responseData: 42 },
      { from: "Bob" },
    );
    expect(await answered).toMatchObject({ response: "OK", responseData: 42 });
  });

  test("sendAndWait rejects when the addressee is unknown, when the time is up, and when the link is lost", async () => {
    const { client, link } = await desk.connect();
    const unknown = client.sendAndWait("Zed", "a");
    const send = await link.next("SEND");
    link.send("ERROR", { code: "NOT_FOUND", message: "no Zed", fatal: false, ref_id: send.id });
    await expect(unknown).rejects.toMatchObject({ code: "RECIPIENT_NOT_FOUND" });
    await expect(client.sendAndWait("Bob", "b", { timeoutMs: 20 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
    const lost = client.sendAndWait("Bob", "c");
    await link.next("SEND");
    link.cut();
    await expect(lost).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await desk.comeBack();
  });

  test("answer sends an ACK that carries the sender's correlation", async () => {
    const { client, link } = await desk.connect();
    const sync = { correlationId: "c-1", blocking: true };
    const delivery = { seq: 3, session_id: "s-1" };
    link.send("DELIVER", { kind: "message", body: "?" }, { id: "d-1", from: "Bob", delivery, payload_meta: { sync } });
    const [message] = await take(client.messages(), 1);
    if (message === undefined) return expect.unreachable();
    expect(client.answer(message, { response: "ACCEPTED" })).toBe(true);
    expect((await link.next("ACK")).payload).toEqual({
      ack_id: "d-1",
      seq: 3,
      correlationId: "c-1",
      response: "ACCEPTED",
    });
  });

  test("request resolves with the response, which is acknowledged and does not show among the messages", async () => {
    const { client, link } = await desk.connect();
    const asked = client.request("Bob", "2 + 2", { data: { n: 1 } });
    const send = await link.next("SEND");
    expect(send).toMatchObject({
      payload_meta: { replyTo: send.id },
      payload: { data: { n: 1, _correlationId: send.id } },
    });
    link.send("RECEIPT", { ref_id: send.id, state: "queued", to: "Bob" });
    link.deliver("4", { id: "d-9", data: { _correlationId: send.id, _isResponse: true } });
    expect(await asked).toMatchObject({ body: "4" });
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-9" });
    link.deliver("next");
    expect((await take(client.messages(), 1))[0]?.body).toBe("next");
  });

  test("a request goes on over a reconnect", async () => {
    const { client, link } = await desk.connect();
    const asked = client.request("Bob", "2 + 2");
    const send = await link.next("SEND");
    link.cut();
    const { link: second } = await desk.comeBack();
    second.deliver("4", { data: { _correlationId: send.id, _isResponse: true } });
    expect(await asked).toMatchObject({ body: "4" });
  });

  test("respond goes to the asker, in its thread, in both forms that clients look for", async () => {
    const { client, link } = await desk.connect({}, { receipts: false });
    const delivery = { seq: 1, session_id: "s-1" };
    const payload = { kind: "message", body: "?", thread: "t-1", data: { _correlationId: "r-1" } };
    link.send("DELIVER", payload, { from: "Bob", to: "Alice", delivery });
    const [message] = await take(client.messages(), 1);
    if (message === undefined) return expect.unreachable();
    await client.respond(message, "!");
    expect(await link.next("SEND")).toMatchObject({
      to: "Bob",
      payload: { body: "!", thread: "t-1", data: { _correlationId: "r-1", _isResponse: true } },
      payload_meta: { replyTo: "r-1" },
    });
  });

  test("queries are answered under their own id", async () => {
    const { client, link } = await desk.connect();
    const inbox = client.queries.inbox({ limit: 5 });
    const { id, payload } = await link.next("INBOX");
    expect(payload).toEqual({ limit: 5 });
    const messages = [{ id: "m", from: "Bob", body: "x", timestamp: 1 }];
    link.send("INBOX_RESPONSE", { messages }, { id });
    expect(await inbox).toEqual(messages);
  });

  test("an answer of the wrong shape is INVALID_RESULT, none is REQUEST_TIMEOUT", async () => {
    const { client, link } = await desk.connect();
    const status = client.queries.status();
    const { id } = await link.next("STATUS");
    link.send("STATE", {}, { id });
    await expect(status).rejects.toMatchObject({ code: "INVALID_RESULT" });
    await expect(client.queries.health({ timeoutMs: 20 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  });

  test("spawn resolves with the result that replies to it, and rejects with the daemon's reason", async () => {
    const { client, link } = await desk.connect();
    const good = client.workers.spawn({ name: "W", cli: "claude", cwd: "/x" });
    const spawn = await link.next("SPAWN");
    expect(spawn.payload).toEqual({ name: "W", cli: "claude", cwd: "/x", task: "" });
    link.send("SPAWN_RESULT", { replyTo: spawn.id, success: true, name: "W", pid: 7 });
    expect(await good).toMatchObject({ pid: 7 });
    const bad = client.workers.release("V");
    const release = await link.next("RELEASE");
    link.send("RELEASE_RESULT", { replyTo: release.id, success: false, name: "V", error: "Agent V not found" });
    await expect(bad).rejects.toThrow("Agent V not found");
  });

  test("a plain daemon without a spawn manager names no request; the spawn still rejects at once", async () => {
    const { client, link } = await desk.connect({}, { receipts: false });
    const spawned = client.workers.spawn({ name: "W", cli: "claude" });
    await link.next("SPAWN");
    const message = "SpawnManager not enabled. Configure spawnManager: true in daemon config.";
    link.send("ERROR", { code: "INTERNAL", message, fatal: false });
    await expect(spawned).rejects.toMatchObject({ code: "REMOTE_ERROR" });
  });
});
