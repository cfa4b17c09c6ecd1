import { type ConnectDaemonOptions, connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { ConnectionError, type Transport } from "@daemon-sdk/protocol";
import { natsRefusal } from "../nats/index.js";
import type { MachineDirectory } from "../registry/index.js";
import { type Dialer, dialMachine, notReached } from "./dial-machine.js";

/** Options of a machine's connection. */
export type FleetConnectionOptions = Pick<
  ConnectDaemonOptions,
  "permissionHandler" | "askUserHandler" | "onError" | "logger" | "reconnect" | "heartbeat"
>;

/** What links to machines are made of. */
export interface MachineLinksParts extends Dialer {
  readonly machines: MachineDirectory;
  readonly connection: FleetConnectionOptions;
}

/** One connection to each machine, made when it is first needed and shared from then on. */
export class MachineLinks {
  readonly #parts: MachineLinksParts;
  readonly #connections = new Map<string, Promise<DaemonConnection>>();
  /** Each of them ends a connection that is being made. */
  readonly #attempts = new Set<AbortController>();
  #end: ConnectionError | undefined;

  constructor(parts: MachineLinksParts) {
    this.#parts = parts;
    void parts.nats.closed().then((cause) => {
      if (cause instanceof Error) this.#endAll(natsRefusal(cause));
    });
  }

  /**
   * The connection to a machine. Rejects with MACHINE_GONE for one that is not online, with CONNECTION_CLOSED after `close()`, with
   * AUTH_REJECTED when NATS refuses the credentials from now on, else as `connectDaemon`.
   */
  connection(machineId: string): Promise<DaemonConnection> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const found = this.#connections.get(machineId);
    if (found !== undefined) return found;
    const made = this.#connect(machineId);
    this.#connections.set(machineId, made);
    const forget = () => {
      if (this.#connections.get(machineId) === made) this.#connections.delete(machineId);
    };
    made.then((connection) => connection.closed.then(forget), forget);
    return made;
  }

  /** As `Fleet.dial`: the machine's present instance, after its restart another one than before. */
  async dial(machineId: string, signal: AbortSignal, purpose?: "move"): Promise<Transport> {
    const { machines, router } = this.#parts;
    const machine = machines.get(machineId);
    if (this.#end !== undefined) throw this.#end;
    if (router.isAway) throw notReached(machineId, "NATS is away");
    if (machine?.state !== "online") throw machineGone(machineId);
    return dialMachine(this.#parts, machine, signal, purpose);
  }

  /** A link by which sessions are moved. Rejects as {@link connection}. */
  async dialForMoves(machineId: string): Promise<Transport> {
    if (this.#end !== undefined) throw this.#end;
    if (this.#parts.machines.get(machineId)?.state !== "online") throw machineGone(machineId);
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    try {
      return await this.dial(machineId, attempt.signal, "move");
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  /** Closes the connections, and ends those that are being made. */
  async close(): Promise<void> {
    this.#endAll(new ConnectionError("CONNECTION_CLOSED", "The fleet was closed."));
    const made = await Promise.allSettled(this.#connections.values());
    await Promise.all(made.map(async (one) => one.status === "fulfilled" && one.value.close()));
  }

  async #connect(machineId: string): Promise<DaemonConnection> {
    if (this.#parts.machines.get(machineId)?.state !== "online") throw machineGone(machineId);
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    try {
      return await connectDaemon({
        ...this.#parts.connection,
        // The machine knows who dials by the subject, and needs no other credential.
        token: "fleet",
        signal: attempt.signal,
        transport: ({ signal }) => this.dial(machineId, signal),
      });
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  #endAll(error: ConnectionError): void {
    this.#end ??= error;
    for (const attempt of this.#attempts) attempt.abort(error);
  }
}

/** The error for a machine that does not serve now. Its sessions are on its disk. */
export function machineGone(machineId: string): ConnectionError {
  return new ConnectionError(
    "MACHINE_GONE",
    `Machine ${machineId} is not online. Its sessions are kept on it, and can be reached when its daemon is back in the fleet.`,
  );
}
