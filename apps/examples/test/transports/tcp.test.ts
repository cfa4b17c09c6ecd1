import type { Transport } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { dialTcp, openGateway, serveTcp } from "../../src/transports/tcp.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const dial = dialTcp(bounds);
const signal = new AbortController().signal;

test("what was sent before the other side's close arrives, however much it is", async () => {
  let accepted: (far: Transport) => void = () => {};
  const far = new Promise<Transport>((resolve) => {
    accepted = resolve;
  });
  const server = await serveTcp({ ...bounds, onLink: (transport) => accepted(transport) });
  const near = await dial({ url: `tcp://127.0.0.1:${server.port}`, signal });
  let received = 0;
  near.onMessage = () => void received++;
  const end = new Promise((resolve) => {
    near.onClose = resolve;
  });
  const sender = await far;
  sender.onMessage = () => {};
  for (let sent = 0; sent < 64; sent++) sender.send("x".repeat(200_000));
  near.close();
  expect(await end).toMatchObject({ clean: true });
  expect(received).toBe(64);
  await server.close();
});

test("a port where nobody listens is CONNECTION_FAILED", async () => {
  const gateway = await openGateway(() => Promise.reject(new RangeError("no daemon")));
  const url = `tcp://127.0.0.1:${gateway.port}`;
  await gateway.close();
  await expect(dial({ url, signal })).rejects.toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
});

test("a dial that is given up rejects with the signal's reason", async () => {
  const given = AbortSignal.abort(new RangeError("enough"));
  await expect(dial({ url: "tcp://127.0.0.1:1", signal: given })).rejects.toThrow("enough");
});

test("a gateway that cannot reach its daemon says so and ends the link", async () => {
  const gateway = await openGateway(() => Promise.reject(new RangeError("no daemon")));
  const transport = await dial({ url: `tcp://127.0.0.1:${gateway.port}`, signal });
  transport.onMessage = () => {};
  const end = await new Promise((resolve) => {
    transport.onClose = resolve;
  });
  expect(end).toMatchObject({ code: 4500, reason: "the other side cannot be reached" });
  await gateway.close();
});
