import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createFleetKeys, type EnrolOptions, enrol, type FleetKeys, revoke } from "../../packages/fleet/src/enrol.js";
import { Subjects } from "../../packages/fleet/src/names/index.js";
import { openNats } from "../../packages/fleet/src/nats/index.js";
import { FleetBench } from "../../packages/fleet/test/support/fleet-bench.js";
import { elected, startNodes } from "../../packages/fleet/test/support/nats-cluster.js";
import type { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { resultsOf, until } from "./observe.js";

/** Long enough to open links on a busy machine. */
const VALID_MS = 15_000;

let directory: string;
let keys: FleetKeys;
let nodes: NatsServer[];
let bench: FleetBench;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "fleet-credentials-"));
  keys = await createFleetKeys("acme", directory);
  // Each server has a store and accounts of its own.
  nodes = await startNodes((at) => keys.serverConfig.replaceAll(directory, join(directory, `n${at}`)));
  const { credentials } = await enrol(keys.enrolmentKey, { client: "first" });
  const inbox = new Subjects("acme").clientInbox("first");
  await elected(await openNats({ servers: urls(), credentials }, { name: "first", inbox }));
  // Who opens the registry first decides its replicas.
  await using first = new FleetBench(urls(), "acme");
  await first.service({ replicas: 3, credentials });
});
afterAll(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  bench = new FleetBench(urls(), "acme");
});
afterEach(() => bench[Symbol.asyncDispose]());

const ENDS = ["expire", "are revoked"] as const;

test.each(ENDS)(
  "credentials of a machine that %s while links are live end its membership and its links, and no other",
  async (how) => {
    const doomed = await doomedBy(how, { machineId: "m-1" });
    // Each on a server of its own, and revoked on a third one.
    const { daemon, membership } = await bench.machine("m-1", { servers: url(0), ...doomed.options });
    const other = await bench.machine("m-2", { servers: url(1), ...(await enrolled({ machineId: "m-2" })) });
    const fleet = await bench.service({ servers: url(1), ...(await enrolled({ client: "bot" })) });
    const connection = await fleet.connection("m-1");
    const session = await connection.createSession({ agent: "asking", cwd: bench.directory });
    const turn = session.stream("touch it")[Symbol.asyncIterator]();
    await turn.next();
    await doomed.end();
    expect(await membership.closed).toMatchObject({ code: "AUTH_REJECTED", retryable: false });
    await until(fleet, (machines) => machines.find(({ machineId }) => machineId === "m-1")?.state === "lost");
    const { items, missing } = await fleet.listSessions();
    expect([items, missing]).toMatchObject([[], [{ machineId: "m-1", error: { code: "MACHINE_GONE" } }]]);
    expect((await (await fleet.connection("m-2")).run("here", { agent: "echo", cwd: bench.directory })).text).toBe(
      "Echo: here",
    );
    // The turn waits on, and is answered locally.
    const local = await bench.localClient(daemon);
    const [request] = await local.listRequests();
    await local.answerRequest(request?.requestId ?? "", "proceed_once");
    await expect.poll(async () => (await local.listOpenedSessions())[0]?.workingState).toBe("idle");
    const joined = () => bench.join(daemon, "m-1", doomed.options).catch((error: { code: string }) => error.code);
    await expect.poll(joined, { interval: 500 }).toBe("AUTH_REJECTED");
    const again = await bench.join(daemon, "m-1", await enrolled({ machineId: "m-1" }));
    expect((await fleet.resumeSession(session.sessionId)).sessionId).toBe(session.sessionId);
    await Promise.all([again.leave(), other.membership.leave()]);
  },
);

test.each(ENDS)(
  "credentials of a service that %s while links are live end its connections, and the turn is answered by another",
  async (how) => {
    const { membership } = await bench.machine("m-1", { servers: url(0), ...(await enrolled({ machineId: "m-1" })) });
    const doomed = await doomedBy(how, { client: "bot" });
    const fleet = await bench.service({ servers: url(1), ...doomed.options });
    const connection = await fleet.connection("m-1");
    const session = await fleet.createSession({ needs: { agent: "asking" }, cwd: bench.directory });
    const stream = resultsOf(session.stream("touch it"));
    const failed = expect(stream).rejects.toMatchObject({ code: "AUTH_REJECTED" });
    await doomed.end();
    expect(await connection.closed).toMatchObject({ code: "AUTH_REJECTED" });
    await failed;
    await expect(fleet.connection("m-1")).rejects.toMatchObject({ code: "AUTH_REJECTED" });
    // In the second in which they expire the server may let one in, and ends it at once.
    const connected = () => bench.service(doomed.options).catch((error: { code: string }) => error.code);
    await expect.poll(connected, { interval: 500 }).toBe("AUTH_REJECTED");
    const other = await bench.service({ servers: url(2), ...(await enrolled({ client: "other" })) });
    const { items } = await other.listRequests();
    expect(items).toMatchObject([{ sessionId: session.sessionId, machineId: "m-1" }]);
    const served = await other.connection("m-1");
    await served.answerRequest(items[0]?.requestId ?? "", "proceed_once");
    await expect.poll(async () => (await served.listOpenedSessions())[0]?.workingState).toBe("idle");
    await membership.leave();
  },
);

function urls(): string[] {
  return nodes.map((node) => node.url);
}

function url(at: number): string {
  return nodes[at]?.url ?? "";
}

async function enrolled(options: EnrolOptions) {
  return { credentials: (await enrol(keys.enrolmentKey, options)).credentials };
}

/** Credentials, and what ends them: nothing but time, or a revocation. */
async function doomedBy(how: (typeof ENDS)[number], options: EnrolOptions) {
  const isExpiring = how === "expire";
  const { credentials, user } = await enrol(
    keys.enrolmentKey,
    isExpiring ? { ...options, validMs: VALID_MS } : options,
  );
  const { systemCredentials, operatorSeed, enrolmentKey } = keys;
  const { account } = enrolmentKey;
  const end = () => revoke({ servers: url(2), systemCredentials, operatorSeed, account, user });
  return { options: { credentials }, end: isExpiring ? async () => {} : end };
}
