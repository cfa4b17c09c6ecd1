import {
  abortable,
  ConnectionError,
  type DialRequest,
  type FleetMachineConfig,
  InvalidOptionError,
  type Logger,
  MachineType,
  type Transport,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { checkText } from "../base/index.js";
import { checkConnectOptions } from "../connection/index.js";
import type { ConnectDaemon } from "./connect-daemon.js";

/** The part of `@daemon-sdk/fleet` that a client calls. */
export interface FleetPackage {
  /** Connects a service to its fleet. */
  connectFleet(options: {
    servers: string | readonly string[];
    credentials?: string;
    tenant?: string;
    domain?: string;
    client?: string;
    logger?: Logger;
  }): Promise<FleetOfMachine>;
}

/** The part of a fleet that the connection to one of its machines needs. */
export interface FleetOfMachine {
  /** Opens a link to a machine. */
  dial(machineId: string, signal: AbortSignal): Promise<Transport>;
  /** The machine that has a session. */
  machineOf(sessionId: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Adds machines of fleets to a `connectDaemon`. Each connection to one has a connection to NATS of its own, which ends with it.
 *
 * @param loadFleet loads the optional package; rejects with LOCAL_DAEMON_UNAVAILABLE where it is not installed
 */
export function withFleets(connect: ConnectDaemon, loadFleet: () => Promise<FleetPackage>): ConnectDaemon {
  return async (options = {}) => {
    const { machine, url, transport, logger } = Object(options) as typeof options;
    if (machine?.type !== MachineType.Fleet || url !== undefined || transport !== undefined) return connect(options);
    checkConnectOptions(options);
    checkFleetMachine(machine);
    const route = new FleetRoute(machine, loadFleet, logger);
    try {
      const connection = await connect({
        ...options,
        url: `nats:///${encodeURIComponent(machine.machineId ?? machine.sessionId)}`,
        transport: (request) => route.dial(request),
        // The machine knows who dials by the subject, and needs no other credential.
        token: options.token ?? "fleet",
      });
      void connection.closed.then(() => route.close());
      return connection;
    } catch (error) {
      await route.close();
      throw error;
    }
  };
}

function checkFleetMachine({ servers, machineId, sessionId, ...texts }: FleetMachineConfig): void {
  const addresses = typeof servers === "string" ? [servers] : servers;
  const areTexts = Array.isArray(addresses) && addresses.every((address) => typeof address === "string");
  if (!areTexts || addresses.length === 0 || addresses.includes(""))
    throw new InvalidOptionError("machine.servers", 'an address such as "nats://nats.example.com:4222", or several');
  for (const [name, value] of Object.entries({ ...texts, machineId, sessionId })) checkText(`machine.${name}`, value);
  if ((machineId === undefined) === (sessionId === undefined))
    throw new InvalidOptionError("machine.machineId", "the name of a machine, or a `sessionId` instead");
}

/** The way to one machine of a fleet. NATS is connected at the first dial, and again after a dial for which it could not be. */
class FleetRoute {
  readonly #machine: FleetMachineConfig;
  readonly #loadFleet: () => Promise<FleetPackage>;
  readonly #logger: Logger | undefined;
  #fleet: Promise<FleetOfMachine> | undefined;
  #machineId: string | undefined;
  #isClosed = false;

  constructor(machine: FleetMachineConfig, loadFleet: () => Promise<FleetPackage>, logger: Logger | undefined) {
    this.#machine = machine;
    this.#loadFleet = loadFleet;
    this.#logger = logger;
  }

  async dial({ signal }: DialRequest): Promise<Transport> {
    const fleet = await abortable(this.#connected(), signal);
    this.#machineId = await abortable(this.#machineOf(fleet), signal);
    return fleet.dial(this.#machineId, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const fleet = await this.#fleet?.catch(() => undefined);
    await fleet?.close();
  }

  #connected(): Promise<FleetOfMachine> {
    if (this.#isClosed) return Promise.reject(new ConnectionError("CONNECTION_CLOSED", "The connection was closed."));
    this.#fleet ??= this.#connect();
    return this.#fleet;
  }

  async #connect(): Promise<FleetOfMachine> {
    const { servers, credentials, tenant, domain, client } = this.#machine;
    try {
      const { connectFleet } = await this.#loadFleet();
      return await connectFleet({
        servers,
        ...withoutUndefined({ credentials, tenant, domain, client, logger: this.#logger }),
      });
    } catch (error) {
      this.#fleet = undefined;
      throw error;
    }
  }

  /** The machine that has the session now. While none that is online says so, the one that had it is dialed, as after a restart. */
  async #machineOf(fleet: FleetOfMachine): Promise<string> {
    const { machineId, sessionId } = this.#machine;
    if (machineId !== undefined) return machineId;
    try {
      return await fleet.machineOf(sessionId);
    } catch (error) {
      if (this.#machineId === undefined) throw error;
      return this.#machineId;
    }
  }
}
