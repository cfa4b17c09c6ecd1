import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { keyIdOf } from "../../src/access/key-id.js";
import { PERSON } from "../../src/access/principal.js";
import { Tickets } from "../../src/access/tickets.js";
import { SERVING_LIMITS } from "../../src/limits/serving-limits.js";
import { Harness } from "../sessions/harness.js";

test("a ticket holds 256 random bits, lets in once, and speaks for whoever made it", () => {
  const tickets = new Tickets({ now: () => 1_000 });
  const key = { keyId: "k" };
  const { ticket, expiresAt } = tickets.create(key);
  expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(expiresAt).toBe(1_000 + LIMITS.ticketMs);
  const other = tickets.create(PERSON);
  expect(other.ticket).not.toBe(ticket);
  expect(tickets.redeem(`${ticket}x`)).toBeUndefined();
  expect(tickets.redeem(ticket)).toBe(key);
  expect(tickets.redeem(ticket)).toBeUndefined();
  expect(tickets.redeem(other.ticket)).toBe(PERSON);
});

test("a ticket is worth nothing after its time, whatever somebody does to the wall clock", () => {
  let elapsed = 0;
  let now = 0;
  const tickets = new Tickets({ now: () => now, elapsed: () => elapsed });
  const early = tickets.create(PERSON).ticket;
  now = -3_600_000;
  elapsed = LIMITS.ticketMs - 1;
  expect(tickets.redeem(early)).toBe(PERSON);
  const late = tickets.create(PERSON).ticket;
  elapsed += LIMITS.ticketMs;
  expect(tickets.redeem(late)).toBeUndefined();
});

test("no more tickets wait than the limit says; those that expire make room", () => {
  let elapsed = 0;
  const tickets = new Tickets({ elapsed: () => elapsed });
  for (let n = 0; n < SERVING_LIMITS.tickets; n++) tickets.create(PERSON);
  expect(() => tickets.create(PERSON)).toThrow(expect.objectContaining({ code: "QUEUE_FULL" }));
  elapsed = LIMITS.ticketMs;
  expect(tickets.create(PERSON).ticket).toHaveLength(43);
});

test("a page connects with a ticket, once, and uses extensions as its maker does", async () => {
  await using harness = await Harness.start();
  const maker = await harness.connect();
  const { ticket, expiresAt } = await maker.result("create_ticket", {});
  expect(expiresAt).toBeGreaterThan(0);
  const page = harness.dial();
  expect((await page.authenticate({ ticket })).result).toMatchObject({ capabilities: { tickets: true } });
  const again = harness.dial();
  expect((await again.authenticate({ ticket })).error).toMatchObject({ code: -32001 });
  const { error } = await again.authenticate({ ticket: "made-up" });
  expect(error).toEqual((await again.authenticate({ token: "wrong" })).error);
});

test("nobody makes a ticket before authentication", async () => {
  await using harness = await Harness.start();
  const stranger = harness.dial();
  expect((await stranger.call("create_ticket", {})).error).toMatchObject({ code: -32001 });
});

test("the id of a key is the same at every start, and is not its hash", () => {
  expect(keyIdOf("a-configured-key-0")).toBe(keyIdOf("a-configured-key-0"));
  expect(keyIdOf("a-configured-key-0")).not.toBe(keyIdOf("a-configured-key-1"));
  expect(keyIdOf("a-configured-key-0")).toMatch(/^[0-9a-f]{32}$/);
});
