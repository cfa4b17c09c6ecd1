import { SessionNotFoundError } from "@daemon-sdk/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FLEET_LIMITS } from "../../src/limits/index.js";
import { Subjects } from "../../src/names/index.js";
import { openNats } from "../../src/nats/index.js";
import { type Buckets, openBuckets, SessionDirectory, type SessionPlace } from "../../src/registry/index.js";
import { FleetBench } from "../support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

const HOUR_MS = 60 * 60_000;
let tenants = 0;

describe.skipIf(!HAS_NATS)(`entries of sessions${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;
  let nats: Awaited<ReturnType<typeof openNats>>;
  let buckets: Buckets;
  let directory: SessionDirectory;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    tenants += 1;
    const tenant = `entries-${tenants}`;
    bench = new FleetBench(server.url, tenant);
    const subjects = new Subjects(tenant);
    nats = await openNats({ servers: server.url }, { name: "test", inbox: subjects.clientInbox("test") });
    buckets = await openBuckets(nats, subjects, { replicas: 1, domain: undefined });
    directory = new SessionDirectory(buckets.sessions);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await nats.close();
    await bench[Symbol.asyncDispose]();
  });

  /** From here on the clock of this process is so much later; the entries were written before. */
  function later(ms: number): void {
    const now = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => now() + ms);
  }

  async function written(): Promise<SessionPlace> {
    await directory.claim("s-1", "m-1");
    const place = await directory.placeOf("s-1");
    if (place === undefined) throw new SessionNotFoundError("s-1");
    return place;
  }

  test("that of a session that is gone is removed once somebody asks for it, and not while it may be made", async () => {
    await bench.machine("m-1");
    const fleet = await bench.service();
    await directory.claim("s-1", "m-1");
    const ask = () => fleet.resumeSession("s-1").catch((error: unknown) => SessionNotFoundError.is(error));
    expect(await ask()).toBe(true);
    expect(await directory.machineOf("s-1")).toBe("m-1");
    later(2 * HOUR_MS);
    expect(await ask()).toBe(true);
    expect(await directory.machineOf("s-1")).toBeUndefined();
    // It is as if there never was one.
    const session = await fleet.createSession({ sessionId: "s-1", cwd: bench.directory });
    expect(await directory.machineOf(session.sessionId)).toBe("m-1");
  });

  test("one that was written meanwhile is not removed, nor one with a move", async () => {
    const old = await written();
    later(2 * HOUR_MS);
    await directory.swap(old, { machineId: "m-2" });
    await directory.gone(old);
    const place = await directory.placeOf("s-1");
    expect(place?.machineId).toBe("m-2");
    const move = { id: "a-move", from: "m-2", to: "m-1", isCommitted: false };
    if (place !== undefined) await directory.swap(place, { machineId: "m-2", move });
    const moving = await directory.placeOf("s-1");
    if (moving !== undefined) await directory.gone(moving);
    expect((await directory.placeOf("s-1"))?.move?.id).toBe("a-move");
  });

  test("one that somebody is going to make a session for stays, whoever found the session gone before", async () => {
    const seen = await written();
    later(2 * HOUR_MS);
    expect(await directory.hold(seen)).toBe(true);
    await directory.gone(seen);
    expect(await directory.machineOf("s-1")).toBe("m-1");
    // Whoever comes too late for it learns that.
    expect(await directory.hold(seen)).toBe(false);
  });

  test("one that is used is written again before the server removes it by its age", async () => {
    const place = await written();
    await directory.used(place);
    expect((await directory.placeOf("s-1"))?.revision).toBe(place.revision);
    later(FLEET_LIMITS.renewSessionMs + HOUR_MS);
    await directory.used(place);
    expect((await directory.placeOf("s-1"))?.revision).toBeGreaterThan(place.revision);
    expect((await buckets.sessions.status()).ttl).toBe(FLEET_LIMITS.sessionsAgeMs);
    expect(FLEET_LIMITS.sessionsAgeMs).toBeGreaterThan(FLEET_LIMITS.renewSessionMs);
  });
});
