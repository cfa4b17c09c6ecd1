import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { type RawPeer, RelayDaemon } from "../relay-daemon.js";

const bind = (primaryAgent: string, more: object = {}) => createEnvelope("SHADOW_BIND", { primaryAgent, ...more });
const unbind = (primaryAgent: string) => createEnvelope("SHADOW_UNBIND", { primaryAgent });

async function cast(daemon: RelayDaemon): Promise<{ lead: RawPeer; worker: RawPeer; shadow: RawPeer }> {
  const lead = await daemon.connect("Lead");
  const worker = await daemon.connect("Worker");
  const shadow = await daemon.connect("Shadow");
  return { lead, worker, shadow };
}

describe("a shadow", () => {
  test("gets marked copies of what its primary sends and receives, from the real sender to the real addressee", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Worker"));
    await shadow.settled();
    lead.send("Worker", "do it");
    const incoming = await shadow.next("DELIVER");
    worker.send("Lead", "done");
    const outgoing = await shadow.next("DELIVER", 2);
    expect(incoming).toMatchObject({ from: "Lead", to: "Shadow", delivery: { originalTo: "Worker" } });
    expect(incoming.payload).toEqual({
      kind: "message",
      body: "do it",
      data: { _shadowCopy: true, _shadowOf: "Worker", _shadowDirection: "incoming" },
    });
    expect(outgoing).toMatchObject({ from: "Worker", to: "Shadow", delivery: { originalTo: "Lead" } });
    expect(outgoing.payload.data._shadowDirection).toBe("outgoing");
    expect((await worker.next("DELIVER")).payload).not.toHaveProperty("data");
  });

  test("gets copies of a broadcast of its primary, and none of one that everybody hears", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Worker"));
    await shadow.settled();
    lead.send("*", "all");
    await worker.next("DELIVER");
    worker.send("*", "mine");
    await shadow.next("DELIVER", 3);
    const isCopy = shadow.all("DELIVER").map(({ payload }) => [payload.body, payload.data?._shadowCopy === true]);
    expect(isCopy).toEqual([
      ["all", false],
      ["mine", false],
      ["mine", true],
    ]);
  });

  test("sees one direction when it wants one", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Worker", { receiveOutgoing: false }));
    await shadow.settled();
    worker.send("Lead", "out");
    await lead.next("DELIVER");
    lead.send("Worker", "in");
    expect((await shadow.next("DELIVER")).payload.body).toBe("in");
  });

  test("has one primary, and is unbound from that one only", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Lead"), bind("Worker"), unbind("Lead"));
    await shadow.settled();
    lead.send("Worker", "1");
    expect((await shadow.next("DELIVER")).payload.data._shadowOf).toBe("Worker");
    shadow.write(unbind("Worker"));
    await shadow.settled();
    lead.send("Worker", "2");
    await worker.next("DELIVER", 2);
    lead.send("Shadow", "3");
    expect((await shadow.next("DELIVER", 2)).payload.body).toBe("3");
  });

  test("that disconnects is unbound; a primary that does keeps it", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Worker"));
    await shadow.settled();
    await worker.cut();
    const again = await daemon.connect("Worker");
    lead.send("Worker", "1");
    expect((await shadow.next("DELIVER")).payload.body).toBe("1");
    await shadow.cut();
    const back = await daemon.connect("Shadow");
    lead.send("Worker", "2");
    await again.next("DELIVER", 2);
    lead.send("Shadow", "3");
    expect((await back.next("DELIVER")).payload.body).toBe("3");
  });

  test("cannot answer a blocking SEND in its primary's place", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, worker, shadow } = await cast(daemon);
    shadow.write(bind("Worker"));
    await shadow.settled();
    lead.send("Worker", "well?", { payload_meta: { importance: 5, sync: { correlationId: "c", blocking: true } } });
    const copy = await shadow.next("DELIVER");
    expect(copy).toMatchObject({ payload_meta: { importance: 5 } });
    expect(copy.payload_meta).not.toHaveProperty("sync");
    shadow.ack(copy, { correlationId: "c", response: "OK" });
    await shadow.settled();
    worker.ack(await worker.next("DELIVER"), { correlationId: "c", response: "ACCEPTED" });
    expect(await lead.next("ACK")).toMatchObject({ from: "Worker", payload: { response: "ACCEPTED" } });
  });

  test("hears of a copy again until it acknowledges it, like of any message", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const { lead, shadow } = await cast(daemon);
    shadow.isAcking = false;
    shadow.write(bind("Worker"));
    await shadow.settled();
    lead.send("Worker", "kept");
    const copy = await shadow.next("DELIVER");
    await shadow.cut();
    const back = await daemon.connect("Shadow");
    expect(await back.next("DELIVER")).toMatchObject({ id: copy.id, payload: copy.payload });
  });
});
