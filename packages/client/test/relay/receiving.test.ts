import { describe, expect, test } from "vitest";
import { RelayDesk, take } from "./relay-desk.js";

const desk = new RelayDesk();

describe("receiving", () => {
  test("a message is acknowledged when the next one is asked for, not before", async () => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1", seq: 1 });
    link.deliver("two", { id: "d-2", seq: 2 });
    const [one] = await take(messages, 1);
    expect(one).toMatchObject({ id: "d-1", from: "Bob", to: "Alice", route: "direct", body: "one", seq: 1 });
    link.send("PING", { nonce: "n" });
    await link.next("PONG");
    expect(link.received.filter(({ type }) => type === "ACK")).toEqual([]);
    await take(messages, 1);
    expect((await link.next("ACK")).payload).toEqual({ ack_id: "d-1", seq: 1 });
    await messages.return?.();
    expect((await link.next("ACK")).payload).toEqual({ ack_id: "d-2", seq: 2 });
  });

  test("one that is delivered again is handled once: dropped while in hand, acknowledged again afterwards", async () => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1" });
    await take(messages, 1);
    link.deliver("one", { id: "d-1" });
    link.deliver("two", { id: "d-2", seq: 2 });
    expect((await take(messages, 1))[0]?.body).toBe("two");
    await link.next("ACK");
    link.deliver("one", { id: "d-1" });
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
  });

  test("ids survive a reconnect", async () => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1" });
    await take(messages, 1);
    link.cut();
    const next = messages.next();
    const { link: second, hello } = await desk.comeBack();
    expect(hello.session).toEqual({ resume_token: "t-1" });
    second.deliver("one", { id: "d-1" });
    expect((await second.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
    second.deliver("two", { id: "d-2" });
    expect(await next).toMatchObject({ value: { body: "two" } });
    expect(client.isResumed).toBe(true);
  });

  test("the last 2000 handled ids are known, and those of 4000 before are forgotten", async () => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    for (let n = 0; n <= 4000; n += 1) link.deliver("first", { id: `d-${n}`, seq: n + 1 });
    await take(messages, 4001);
    const next = messages.next();
    link.deliver("known", { id: "d-2001" });
    link.deliver("again", { id: "d-0" });
    expect(await next).toMatchObject({ value: { body: "again" } });
  });

  test.each([
    [{ delivery: { seq: 1, session_id: "s", originalTo: "*" } }, "broadcast", "*"],
    [{ topic: "builds", delivery: { seq: 1, session_id: "s", originalTo: "*" } }, "topic", "*"],
    [{ delivery: { seq: 1, session_id: "s", originalTo: "@users" } }, "broadcast", "@users"],
  ])("says how it came: %o", async (fields, route, to) => {
    const { client, link } = await desk.connect();
    link.send("DELIVER", { kind: "message", body: "x" }, { from: "Bob", to: "Alice", ...fields });
    expect((await take(client.messages(), 1))[0]).toMatchObject({ route, to });
  });

  test("channel posts and shadow copies come along; posts are not acknowledged", async () => {
    const { client, link } = await desk.connect();
    const messages = client.messages();
    link.send("CHANNEL_MESSAGE", { channel: "#dev", body: "hey", mentions: ["Alice"] }, { from: "Bob", id: "c-1" });
    link.deliver("copy", { id: "d-1", data: { _shadowCopy: true, _shadowOf: "Carl" } });
    const [post, copy] = await take(messages, 2);
    expect(post).toMatchObject({ route: "channel", channel: "#dev", from: "Bob", mentions: ["Alice"] });
    expect(copy).toMatchObject({ route: "shadow" });
    await messages.return?.();
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
    expect(link.received.filter(({ type }) => type === "ACK")).toEqual([]);
  });

  test("there is one consumer at a time; the signal ends it and leaves what waits to the next", async () => {
    const { client, link } = await desk.connect();
    const controller = new AbortController();
    const first = client.messages({ signal: controller.signal });
    expect(() => client.messages()).toThrow(expect.objectContaining({ code: "CONCURRENT_STREAM" }));
    const waiting = first.next();
    controller.abort();
    expect((await waiting).done).toBe(true);
    link.deliver("still here");
    expect((await take(client.messages(), 1))[0]?.body).toBe("still here");
  });

  test("what there is no room for is left to redelivery, and told", async () => {
    const { client, link } = await desk.connect({ maxBufferedBytes: 1000 });
    const full = new Promise((resolve) => {
      client.onError = resolve;
    });
    link.deliver("a".repeat(300), { id: "d-1" });
    link.deliver("b".repeat(300), { id: "d-2", seq: 2 });
    expect(await full).toMatchObject({ code: "SLOW_CONSUMER" });
    const messages = client.messages();
    expect((await take(messages, 1))[0]?.id).toBe("d-1");
    const second = messages.next();
    link.deliver("b".repeat(300), { id: "d-2", seq: 2 });
    expect(await second).toMatchObject({ value: { id: "d-2" } });
  });

  test("a type that nobody knows and a DELIVER without its sender are ignored", async () => {
    const { client, link } = await desk.connect();
    link.send("DELIVER", { kind: "message", body: "no sender" }, {});
    link.send("STATE", {});
    link.deliver("good");
    expect((await take(client.messages(), 1))[0]?.body).toBe("good");
  });
});
