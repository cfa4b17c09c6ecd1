import { FakeDaemon, rpcFault } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { connectDaemon } from "../../src/index.js";
import { connected, rejection } from "../support.js";

/** A daemon that takes each of these tickets once, and nothing else. */
function daemonTaking(...tickets: string[]): FakeDaemon {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", ({ link, params }) => {
    const place = tickets.indexOf(String(params.ticket));
    if (place === -1) throw rpcFault(-32001, "Authentication failed");
    tickets.splice(place, 1);
    link.isAuthenticated = true;
    return { userId: "u", orgId: "o" };
  });
  return daemon;
}

test("a ticket is the only credential that is sent, and stands in no session call", async () => {
  const daemon = daemonTaking("once");
  await using connection = await connectDaemon({ transport: daemon.dial, ticket: "once", token: "lasting" });
  await connection.createSession();
  expect(daemon.received[0]?.params).toMatchObject({ ticket: "once" });
  expect(daemon.received[0]?.params).not.toHaveProperty("token");
  expect(JSON.stringify(daemon.received.slice(1))).not.toContain("once");
});

test("a ticket that was used is refused, and not tried again", async () => {
  const daemon = daemonTaking("once");
  await using _first = await connectDaemon({ transport: daemon.dial, ticket: "once" });
  const error = await rejection(connectDaemon({ transport: daemon.dial, ticket: "once", maxRetries: 3 }));
  expect(error).toMatchObject({ code: "AUTH_REJECTED" });
  expect((error as Error).message).not.toContain("once");
  expect(daemon.dials).toBe(2);
});

test("a function is asked for a fresh ticket by each connection", async () => {
  const daemon = daemonTaking("t1", "t2");
  let made = 0;
  const ticket = async () => `t${++made}`;
  for (let round = 0; round < 2; round += 1) await (await connectDaemon({ transport: daemon.dial, ticket })).close();
  expect(made).toBe(2);
});

test.each<[what: string, ticket: () => Promise<string>]>([
  ["rejects", () => Promise.reject(new TypeError("Failed to fetch"))],
  ["finds none", async () => undefined as unknown as string],
])("a function that %s fails the attempt as one that may be repeated, before anything is dialed", async (_, ticket) => {
  const daemon = new FakeDaemon();
  const error = await rejection(connectDaemon({ transport: daemon.dial, ticket }));
  expect(error).toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
  expect(daemon.dials).toBe(0);
});

test("createTicket asks the daemon for one", async () => {
  const { daemon, connection } = await connected();
  daemon.answer("create_ticket", () => ({ ticket: "once", expiresAt: 60_000 }));
  expect(await connection.createTicket()).toEqual({ ticket: "once", expiresAt: 60_000 });
});
