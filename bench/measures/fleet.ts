import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { connectFleet, type Fleet } from "@daemon-sdk/fleet";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { type Contestant, type Measure, type OpenMeasure, quantile, type Round } from "../measure.js";
import { BENCH_MACHINE, MANY_AGENTS } from "../roles/daemon.js";
import { openPeers, PEERS } from "../roles/peers.js";
import { figuresHere, figuresOf } from "../roles/process-figures.js";
import { type RoleProcess, startRole } from "../roles/role.js";
import { openSessions } from "./lanes.js";
import { readTurn } from "./whole-path.js";

const EVENTS = 30_000;
const REQUESTS = 1_000;
const MACHINES = 500;
const RESUMES = 20;
const UNIX = "over the unix socket";
const LINK = "over a link of the fleet";
const RAW_REQUEST = "raw NATS request, 200 bytes";
const RAW_EVENTS = "raw NATS subscription and JSON.parse";
const OPENED = `connectFleet() and the list of ${MACHINES} machines`;
const BY_ENTRY = "resumeSession(), found by its entry";
const BY_ASKING = `resumeSession(), found by asking ${MACHINES + 1} machines`;

/** A turn of a real daemon, whose client is at the other side of a real nats-server. */
export const fleetEvents: Measure = {
  name: "fleet",
  title: "Fleet: an agent's pipe to stream(), deltas of about 300 bytes",
  unit: "events/s",
  better: "more",
  limit: UNIX,
  bars: [{ contestant: LINK, of: UNIX, atLeast: 0.8 }],
  missing: missingServer,
  async open() {
    const bench = await FleetBench.open();
    const [overUnix, overLink] = [await bench.unix(), await bench.link()];
    const peers = await openPeers([PEERS.nats]);
    return {
      contestants: [
        await turns(UNIX, overUnix, bench.daemon),
        await turns(LINK, overLink, bench.daemon),
        ...peers.open.map(({ client }) => ({
          name: RAW_EVENTS,
          round: () => perSecond(() => new Promise<void>((done) => client.flood?.(EVENTS, countdown(EVENTS, done)))),
        })),
      ],
      absent: peers.absent,
      close: () => bench.close(...peers.open),
    };
  },
};

/** One request after the other, over a link and over the unix socket of one daemon. */
export const fleetRoundTrip: Measure = {
  name: "fleet",
  title: "Fleet: one request after the other, p50",
  unit: "µs",
  better: "less",
  limit: RAW_REQUEST,
  bars: [{ contestant: LINK, of: RAW_REQUEST, atMost: 1.3 }],
  missing: missingServer,
  async open() {
    const bench = await FleetBench.open();
    const [overUnix, overLink] = [await bench.unix(), await bench.link()];
    const peers = await openPeers([PEERS.nats]);
    return {
      contestants: [
        ...peers.open.map(({ client }) => calls(RAW_REQUEST, () => client.call())),
        calls(LINK, () => overLink.listOpenedSessions()),
        calls(UNIX, () => overUnix.listOpenedSessions()),
      ],
      absent: peers.absent,
      close: () => bench.close(...peers.open),
    };
  },
};

/** What a service that starts waits for until it knows its machines. */
export const fleetRegistry: Measure = {
  name: "fleet",
  title: `Fleet: a service reads the registry of ${MACHINES} machines`,
  unit: "ms",
  better: "less",
  rounds: 9,
  bars: [{ contestant: OPENED, atMost: 100 }],
  missing: missingServer,
  async open() {
    const server = await NatsServer.start();
    const machines = await startRole("machines", server.url, String(MACHINES));
    const round = async () => {
      const started = performance.now();
      await using fleet = await connectFleet({ servers: server.url });
      const online = [...fleet.machines()].filter(({ state }) => state === "online").length;
      const tookMs = performance.now() - started;
      if (online !== MACHINES) throw new Error(`${online} of ${MACHINES} machines are online.`);
      return tookMs;
    };
    return {
      contestants: [{ name: OPENED, round }],
      async close() {
        await machines.stop();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

/** A session is resumed by its id alone, among machines that do not have it. */
export const fleetResume: Measure = {
  name: "fleet",
  title: `Fleet: a session is found among ${MACHINES + 1} machines, p50`,
  unit: "ms",
  better: "less",
  bars: [
    { contestant: BY_ENTRY, atMost: 20 },
    { contestant: BY_ASKING, atMost: 20 },
  ],
  missing: missingServer,
  open: openResumes,
};

async function openResumes(): Promise<OpenMeasure> {
  const bench = await FleetBench.open();
  const machines = await startRole("machines", bench.server.url, String(MACHINES));
  const fleet = await bench.fleet();
  const connection = await fleet.connection(BENCH_MACHINE);
  const local = await bench.unix();
  const resume = async (sessionId: string) => {
    const started = performance.now();
    const session = await fleet.resumeSession(sessionId);
    const tookMs = performance.now() - started;
    await session.detach();
    return tookMs;
  };
  const known = await openSessions(connection, RESUMES);
  // Asking once writes the entry.
  for (const { sessionId } of known) await resume(sessionId);
  const contestant = (name: string, sessionIds: () => Promise<readonly string[]>): Contestant => ({
    name,
    async round() {
      const figures: number[] = [];
      for (const sessionId of await sessionIds()) figures.push(await resume(sessionId));
      return { figure: quantile(figures, 0.5), also: { "the slowest": Math.max(...figures) } };
    },
  });
  return {
    contestants: [
      contestant(BY_ENTRY, async () => known.map(({ sessionId }) => sessionId)),
      // No service made them, so there is no entry.
      contestant(BY_ASKING, async () => (await openSessions(local, RESUMES)).map(({ sessionId }) => sessionId)),
    ],
    async close() {
      await machines.stop();
      await bench.close();
    },
  };
}

/** A nats-server, and a daemon that is in its fleet. */
class FleetBench {
  readonly server: NatsServer;
  readonly daemon: RoleProcess;
  readonly #stateDir: string;
  readonly #open: { close(): Promise<unknown> }[] = [];

  private constructor(server: NatsServer, daemon: RoleProcess, stateDir: string) {
    this.server = server;
    this.daemon = daemon;
    this.#stateDir = stateDir;
  }

  static async open(): Promise<FleetBench> {
    const server = await NatsServer.start();
    const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
    return new FleetBench(server, await startRole("daemon", stateDir, MANY_AGENTS, server.url), stateDir);
  }

  /** A connection over the daemon's unix socket. */
  async unix(): Promise<DaemonConnection> {
    process.env.DAEMON_SDK_HOME = this.#stateDir;
    return this.#keep(await connectDaemon());
  }

  async fleet(): Promise<Fleet> {
    return this.#keep(await connectFleet({ servers: this.server.url }));
  }

  /** A connection over the fleet. */
  async link(): Promise<DaemonConnection> {
    return (await this.fleet()).connection(BENCH_MACHINE);
  }

  async close(...others: readonly { close(): Promise<unknown> }[]): Promise<void> {
    for (const one of [...this.#open, ...others]) await one.close();
    await this.daemon.stop();
    await this.server[Symbol.asyncDispose]();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  #keep<One extends { close(): Promise<unknown> }>(one: One): One {
    this.#open.push(one);
    return one;
  }
}

async function turns(name: string, connection: DaemonConnection, daemon: RoleProcess): Promise<Contestant> {
  const [session] = await openSessions(connection, 1);
  if (session === undefined) throw new Error("No session was opened.");
  return {
    name,
    async round(): Promise<Round> {
      const before = { daemon: await figuresOf(daemon, "cpu"), client: figuresHere() };
      const figure = await perSecond(() => readTurn(session, EVENTS));
      const clientMicros = figuresHere().cpuMicros - before.client.cpuMicros;
      const daemonMicros = (await figuresOf(daemon, "cpu")).cpuMicros - before.daemon.cpuMicros;
      return {
        figure,
        also: {
          "µs of the daemon's CPU per event": daemonMicros / EVENTS,
          "µs of the client's CPU per event": clientMicros / EVENTS,
        },
      };
    },
  };
}

function calls(name: string, call: () => Promise<unknown>): Contestant {
  return {
    name,
    async round(): Promise<Round> {
      const figures: number[] = [];
      for (let request = 0; request < REQUESTS; request += 1) {
        const started = performance.now();
        await call();
        figures.push((performance.now() - started) * 1000);
      }
      return { figure: quantile(figures, 0.5), also: { p99: quantile(figures, 0.99) } };
    },
  };
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (EVENTS / (performance.now() - started)) * 1000;
}

function countdown(count: number, onEnd: () => void): () => void {
  let missing = count;
  return () => {
    missing -= 1;
    if (missing === 0) onEnd();
  };
}

function missingServer(): string | undefined {
  try {
    execFileSync("nats-server", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "nats-server is not on PATH. Install it: apt-get install nats-server (2.9 or newer).";
  }
}
