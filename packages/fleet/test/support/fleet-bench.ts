import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { createDaemon, type Daemon, type DaemonConfig, MemoryStore, PERSON } from "@daemon-sdk/local-daemon/server";
import { memoryTransport, sessionId } from "@daemon-sdk/protocol";
import { type ConnectFleetOptions, connectFleet, type Fleet } from "../../src/index.js";
import { type FleetDaemon, type FleetMembership, type JoinFleetOptions, joinFleet } from "../../src/machine.js";

/** An agent that repeats each prompt, as a real process. */
const ECHO = fileURLToPath(new URL("../../../local-daemon/test/fixtures/acp-echo.mjs", import.meta.url));
/** An agent that asks for a permission with each prompt. */
const ASKING = fileURLToPath(new URL("../fixtures/asking-agent.mjs", import.meta.url));

/** One machine of a test: a daemon in this process, with a store that outlives it. */
export interface TestMachine {
  readonly daemon: Daemon;
  readonly membership: FleetMembership;
}

/** Machines and services of one test, on one nats-server. All of them are closed with it. */
export class FleetBench {
  readonly directory = mkdtempSync(join(tmpdir(), "fleet-"));
  readonly #servers: string | readonly string[];
  readonly #tenant: string;
  readonly #stores = new Map<string, MemoryStore>();
  readonly #open: (() => Promise<unknown>)[] = [];

  constructor(servers: string | readonly string[], tenant: string) {
    this.#servers = servers;
    this.#tenant = tenant;
  }

  async service(options: Partial<ConnectFleetOptions> = {}): Promise<Fleet> {
    const fleet = await connectFleet({ servers: this.#servers, tenant: this.#tenant, ...options });
    this.#open.unshift(() => fleet.close());
    return fleet;
  }

  /** Starts a daemon and lets it join, also again. */
  async machine(
    machineId: string,
    options: Partial<JoinFleetOptions> = {},
    config: DaemonConfig = {},
  ): Promise<TestMachine> {
    const daemon = await this.daemon(machineId, config);
    const membership = await this.join(daemon, machineId, options);
    return { daemon, membership };
  }

  async daemon(name: string, config: DaemonConfig = {}): Promise<Daemon> {
    const store = this.#stores.get(name) ?? new MemoryStore({ now: Date.now });
    this.#stores.set(name, store);
    const daemon = await createDaemon({
      stateDir: false,
      store,
      agents: {
        echo: { command: [process.execPath, ECHO], driver: "acp" },
        asking: { command: [process.execPath, ASKING], driver: "acp" },
      },
      defaultAgent: "echo",
      ...config,
    });
    this.#open.push(() => daemon.close({ drainMs: 0 }));
    return daemon;
  }

  async join(
    daemon: FleetDaemon,
    machineId: string,
    options: Partial<JoinFleetOptions> = {},
  ): Promise<FleetMembership> {
    const membership = await joinFleet(daemon, {
      servers: this.#servers,
      tenant: this.#tenant,
      machineId,
      renewMs: 100,
      ...options,
    });
    this.#open.unshift(() => membership.leave());
    return membership;
  }

  /** The store of a machine's daemon. */
  storeOf(name: string): MemoryStore | undefined {
    return this.#stores.get(name);
  }

  /** The next daemon of that machine begins with nothing. */
  loseStore(name: string): void {
    this.#stores.delete(name);
  }

  /** A client in the daemon's own program. */
  async localClient(daemon: Daemon): Promise<DaemonConnection> {
    const connection = await connectDaemon({
      token: "local",
      async transport() {
        const { near, far } = memoryTransport();
        await daemon.accept(far, PERSON);
        return near;
      },
    });
    this.#open.unshift(() => connection.close());
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#open) await close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One entry of a journal, as it is stored. */
export interface StoredEntry {
  readonly epoch: number;
  readonly seq: number;
  readonly text: string;
}

/** The entries that a store has of a session. */
export async function entriesIn(store: MemoryStore | undefined, id: string): Promise<readonly StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (;;) {
    const run = await store?.readEntries(sessionId(id), all.length + 1, Number.MAX_SAFE_INTEGER);
    if (run === undefined || run.entries.length === 0) return all;
    all.push(...run.entries.map((text, index) => ({ epoch: run.epoch, seq: run.firstSeq + index, text })));
  }
}
