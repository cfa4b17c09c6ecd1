import { silentLogger } from "@daemon-sdk/protocol";
import type { FleetRelay, NamePlace } from "@daemon-sdk/protocol/relay";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FLEET_LIMITS } from "../../src/limits/index.js";
import { NameBoard, type NameBoardOptions } from "../../src/mail/name-board.js";
import { Subjects } from "../../src/names/index.js";
import { openNats } from "../../src/nats/index.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

const PLACE: NamePlace = { entityType: "agent", isConnected: true, lastSeen: 1 };

/** A relay that knows the names it is given. */
class FakeRelay implements FleetRelay {
  onNameChanged: ((name: string) => void) | undefined;
  readonly known = new Set<string>();
  readonly elsewhere = new Map<string, NamePlace>();

  set(name: string, isKnown: boolean): void {
    if (isKnown) this.known.add(name);
    else this.known.delete(name);
    this.onNameChanged?.(name);
  }

  names() {
    return [...this.known].map((name) => ({ name, place: PLACE }));
  }

  placeOf(name: string) {
    return this.known.has(name) ? PLACE : undefined;
  }

  nameElsewhere(machineId: string, name: string, place: NamePlace | undefined): void {
    if (place === undefined) this.elsewhere.delete(`${machineId} ${name}`);
    else this.elsewhere.set(`${machineId} ${name}`, place);
  }

  forgetElsewhere(): void {
    this.elsewhere.clear();
  }

  attach(): never {
    throw new TypeError("this relay has no mail");
  }
}

describe.skipIf(!HAS_NATS)(`names of a fleet in the registry${NO_NATS}`, () => {
  const subjects = new Subjects("t");
  let server: NatsServer;
  let nats: NatsConnection;
  let boards: NameBoard[];

  beforeEach(async () => {
    server = await NatsServer.start();
    nats = await openNats({ servers: server.url }, { name: "test" });
    boards = [];
  });
  afterEach(async () => {
    for (const board of boards) board.close();
    await nats.close();
    await server[Symbol.asyncDispose]();
  });

  async function board(machineId: string, options: Partial<NameBoardOptions> = {}): Promise<FakeRelay> {
    const relay = new FakeRelay();
    const streams = { replicas: 1, domain: undefined };
    const made = await NameBoard.open({ nats, subjects, machineId, streams, relay, logger: silentLogger, ...options });
    boards.push(made);
    await made.start();
    return relay;
  }

  async function stream() {
    return (await jetstreamManager(nats)).streams.info(`KV_${subjects.bucket("names")}`);
  }

  test("names that are gone do not pile up, and those that are there outlive the age of their entries", async () => {
    const ages = { ageMs: 1_500, renewMs: 300 };
    const own = await board("m-1", ages);
    const other = await board("m-2", ages);
    own.set("stays", true);
    for (let at = 0; at < 20; at++) own.set(`passing-${at}`, true);
    await expect.poll(() => other.elsewhere.size).toBe(21);
    for (let at = 0; at < 20; at++) own.set(`passing-${at}`, false);
    await expect.poll(() => [...other.elsewhere.keys()]).toEqual(["m-1 stays"]);
    expect((await stream()).state.messages).toBe(21);
    await expect.poll(async () => (await stream()).state.messages, { timeout: 10_000 }).toBe(1);
    const later = await board("m-3", ages);
    await expect.poll(() => [...later.elsewhere.keys()]).toEqual(["m-1 stays"]);
    expect([...other.elsewhere.keys()]).toEqual(["m-1 stays"]);
  });

  test("a board that is stopped follows nothing, also when it was started again while it started", async () => {
    const relay = new FakeRelay();
    const streams = { replicas: 1, domain: undefined };
    const made = await NameBoard.open({ nats, subjects, machineId: "m-2", streams, relay, logger: silentLogger });
    await Promise.all([made.start(), made.start()]);
    made.stop();
    const own = await board("m-1");
    const later = await board("m-3");
    own.set("alice", true);
    await expect.poll(() => later.elsewhere.size).toBe(1);
    expect(relay.elsewhere.size).toBe(0);
  });

  test("a reconnect does not announce again what is announced already, and entries end by the limit", async () => {
    const own = await board("m-1");
    const other = await board("m-2");
    own.set("alice", true);
    await expect.poll(() => other.elsewhere.size).toBe(1);
    for (const one of boards) await one.start();
    own.set("bob", true);
    await expect.poll(() => other.elsewhere.size).toBe(2);
    expect((await stream()).state.last_seq).toBe(2);
    expect((await stream()).config.max_age).toBe(FLEET_LIMITS.namesAgeMs * 1e6);
  });
});
