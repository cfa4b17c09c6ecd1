import { memoryTransport, runTransportContract } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { CloseCode, joinTransports, type Transport, type TransportClose } from "../../src/index.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };

/** Two links, and what lies between them: the far end of the first and the near end of the second. */
function links() {
  const first = memoryTransport(bounds);
  const second = memoryTransport(bounds);
  return { near: first.near, inner: first.far, outer: second.near, far: second.far, cut: () => first.cut() };
}

function ended(transport: Transport): Promise<TransportClose> {
  return new Promise((resolve) => {
    transport.onClose = resolve;
  });
}

function received(transport: Transport): Promise<string> {
  return new Promise((resolve) => {
    transport.onMessage = resolve;
  });
}

describe("joinTransports makes one link of two, which keeps the transport contract", () => {
  runTransportContract(test, {
    ...bounds,
    async connect() {
      const { near, inner, outer, far, cut } = links();
      joinTransports(inner, outer);
      return { near, far, cut };
    },
  });
});

describe("joinTransports", () => {
  test.each([
    [4321, "that was all", 4321],
    [1005, "", CloseCode.normal],
  ])("passes on the end with code %d and its reason", async (code, reason, sent) => {
    const { near, inner, outer, far } = links();
    joinTransports(inner, outer);
    near.onMessage = () => {};
    far.onMessage = () => {};
    const end = ended(far);
    near.close(code, reason);
    expect(await end).toMatchObject({ clean: true, code: sent, reason });
  });

  test("passes on a cut as a cut", async () => {
    const { inner, outer, far, cut } = links();
    joinTransports(inner, outer);
    far.onMessage = () => {};
    const end = ended(far);
    cut();
    expect(await end).toMatchObject({ clean: false });
  });

  test("ends both links when an end lets more wait than it may", async () => {
    const { near, inner, outer, far } = links();
    joinTransports(inner, outer, { maxWaitingBytes: 128 * 1024 });
    near.onMessage = () => {};
    const ends = [ended(near), ended(far)];
    for (let sent = 0; sent < 3; sent++) near.send("x".repeat(64 * 1024));
    expect(await ends[0]).toMatchObject({ code: CloseCode.slowConsumer });
    far.onMessage = () => {};
    expect(await ends[1]).toMatchObject({ clean: false });
  });

  test("keeps what comes before the other link is there", async () => {
    const { near, inner, outer, far } = links();
    let dialed: (transport: Transport) => void = () => {};
    joinTransports(inner, new Promise((resolve) => (dialed = resolve)));
    near.send("early");
    dialed(outer);
    expect(await received(far)).toBe("early");
  });

  test("closes the first link when the other one cannot be had", async () => {
    const { near, inner } = links();
    near.onMessage = () => {};
    const end = ended(near);
    joinTransports(inner, Promise.reject(new RangeError("no daemon")));
    expect(await end).toMatchObject({ code: CloseCode.internalError, reason: "the other side cannot be reached" });
  });

  test("terminates the other link when the first one ended before it was there", async () => {
    const { near, inner, outer, far } = links();
    let dialed: (transport: Transport) => void = () => {};
    joinTransports(inner, new Promise((resolve) => (dialed = resolve)));
    const gone = ended(near);
    near.close();
    await gone;
    const end = ended(far);
    far.onMessage = () => {};
    dialed(outer);
    expect(await end).toMatchObject({ clean: false });
  });
});
