import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { RelayDaemon } from "./relay-daemon.js";

describe("direct messages", () => {
  test("reach the named agent with the sender's name, its payload and its meta, numbered from 1", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const bob = await daemon.connect("Bob");
    const meta = { importance: 80, requires_ack: false };
    alice.write(
      createEnvelope(
        "SEND",
        { kind: "action", body: "hi", data: { a: 1 }, thread: "t" },
        { to: "Bob", payload_meta: meta },
      ),
    );
    alice.send("Bob", "again");
    const first = await bob.next("DELIVER");
    const second = await bob.next("DELIVER", 2);
    expect(first).toMatchObject({ v: 1, from: "Alice", to: "Bob", payload_meta: meta, delivery: { seq: 1 } });
    expect(first.payload).toEqual({ kind: "action", body: "hi", data: { a: 1 }, thread: "t" });
    expect(first.delivery?.session_id).toBe((await bob.next("WELCOME")).payload.session_id);
    expect(first.delivery).not.toHaveProperty("originalTo");
    expect(second.delivery?.seq).toBe(2);
  });
});
