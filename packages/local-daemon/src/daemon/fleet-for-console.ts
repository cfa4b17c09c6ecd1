import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import type { FleetForConsole, ShownFleet } from "../server.js";

/** How the console of a daemon reaches its fleet. */
export interface ConsoleFleetOptions {
  readonly servers: readonly string[];
  readonly tenant?: string;
  readonly domain?: string;
  /** Of a service; default: NATS needs none. */
  readonly credentials?: string;
  /** Name of this daemon's machine. */
  readonly machineId: string;
  readonly logger: Logger;
}

type Fleet = Awaited<ReturnType<typeof import("@daemon-sdk/fleet")["connectFleet"]>>;

/** The name of this service where NATS needs no credentials, so that a machine can name it in its `services`. */
const SERVICE = "console";

/**
 * The fleet of a daemon for its console. The connection is made at the first look, and closed when nobody has looked for a while and no
 * link is open: it follows the registry, which sends each of its readers all renewals of all machines.
 */
export class ConsoleFleetConnection implements FleetForConsole {
  readonly machineId: string;
  readonly #options: ConsoleFleetOptions;
  #open: Promise<Fleet> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #links = 0;

  constructor(options: ConsoleFleetOptions) {
    this.machineId = options.machineId;
    this.#options = options;
  }

  async open(): Promise<ShownFleet> {
    this.#closeLater();
    this.#open ??= this.#connect();
    const made = this.#open;
    try {
      return this.#shown(await made);
    } catch (error) {
      if (this.#open === made) this.#open = undefined;
      const code = DaemonError.is(error) ? error.code : "INTERNAL";
      this.#options.logger.warn({ code, error: String(error) }, "the console cannot reach the fleet");
      throw error;
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const closing = this.#open;
    this.#open = undefined;
    await (await closing?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<Fleet> {
    const { servers, logger, credentials, tenant, domain } = this.#options;
    const { connectFleet } = await import("@daemon-sdk/fleet");
    return connectFleet({
      ...{ servers, logger },
      ...(credentials === undefined ? { client: SERVICE } : { credentials }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(domain === undefined ? {} : { domain }),
    });
  }

  #shown(fleet: Fleet): ShownFleet {
    return {
      machines: () => fleet.machines(),
      onMachines: (call) => fleet.onMachines(call),
      searchSessions: (search) => fleet.searchSessions(search),
      createSession: (options) => fleet.createSession(options),
      machineOf: (sessionId) => fleet.machineOf(sessionId),
      dial: (machineId, signal) => {
        this.#links += 1;
        signal.addEventListener("abort", () => (this.#links -= 1), { once: true });
        return fleet.dial(machineId, signal);
      },
    };
  }

  #closeLater(): void {
    clearTimeout(this.#timer);
    const isUsed = () => this.#links > 0;
    this.#timer = setTimeout(
      () => (isUsed() ? this.#closeLater() : void this.close()),
      SERVING_LIMITS.consoleFleetIdleMs,
    ).unref();
  }
}
