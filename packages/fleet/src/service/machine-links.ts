import { type ConnectDaemonOptions, connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import {
  ConnectionError,
  DAEMON_ERROR_CODES,
  DaemonError,
  type DaemonErrorCode,
  type DialRequest,
  isRecord,
  type Transport,
} from "@daemon-sdk/protocol";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import type { LinkRouter } from "../link/index.js";
import { randomToken, type Subjects } from "../names/index.js";
import { isRefusal, natsRefusal } from "../nats/index.js";
import type { MachineDirectory } from "../registry/index.js";

/** Options of a machine's connection. */
export type FleetConnectionOptions = Pick<
  ConnectDaemonOptions,
  "permissionHandler" | "askUserHandler" | "onError" | "logger" | "reconnect" | "heartbeat"
>;

/** What links to machines are made of. */
export interface MachineLinksParts {
  readonly nats: NatsConnection;
  readonly router: LinkRouter;
  readonly subjects: Subjects;
  readonly client: string;
  readonly machines: MachineDirectory;
  readonly connection: FleetConnectionOptions;
}

/** One connection to each machine, made when it is first needed and shared from then on. */
export class MachineLinks {
  readonly #parts: MachineLinksParts;
  readonly #connections = new Map<string, Promise<DaemonConnection>>();
  readonly #end = new AbortController();

  constructor(parts: MachineLinksParts) {
    this.#parts = parts;
    void parts.nats.closed().then((cause) => {
      if (cause instanceof Error) this.#end.abort(natsRefusal(cause));
    });
  }

  /**
   * The connection to a machine. Rejects with MACHINE_GONE for one that is not online, with CONNECTION_CLOSED after `close()`, with
   * AUTH_REJECTED when NATS refuses the credentials from now on, else as `connectDaemon`.
   */
  connection(machineId: string): Promise<DaemonConnection> {
    if (this.#end.signal.aborted) return Promise.reject(this.#end.signal.reason);
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

  /** Closes the connections, and ends those that are being made. */
  async close(): Promise<void> {
    this.#end.abort(new ConnectionError("CONNECTION_CLOSED", "The fleet was closed."));
    const made = await Promise.allSettled(this.#connections.values());
    await Promise.all(made.map(async (one) => one.status === "fulfilled" && one.value.close()));
  }

  async #connect(machineId: string): Promise<DaemonConnection> {
    if (this.#parts.machines.get(machineId)?.state !== "online") throw machineGone(machineId);
    return connectDaemon({
      ...this.#parts.connection,
      // The machine knows who dials by the subject, and needs no other credential.
      token: "fleet",
      signal: this.#end.signal,
      transport: (request) => this.#dial(machineId, request),
    });
  }

  /** Dials the machine's present instance: after its restart, another one than before. */
  async #dial(machineId: string, { signal }: DialRequest): Promise<Transport> {
    const { machines, router, subjects, client, nats } = this.#parts;
    const machine = machines.get(machineId);
    if (this.#end.signal.aborted) throw this.#end.signal.reason;
    if (router.isAway) throw notReached(machineId, "NATS is away");
    if (machine?.state !== "online") throw notReached(machineId, "it is not online");
    const token = randomToken();
    const link = router.open(token, `${subjects.machine(machine)}.l.${token}`);
    const abandon = () => link.terminate();
    signal.addEventListener("abort", abandon, { once: true });
    try {
      const request = nats.request(subjects.dial(machine, client), JSON.stringify({ token }), {
        timeout: FLEET_LIMITS.dialTimeoutMs,
      });
      checkAnswer(machineId, (await aborted(request, signal)).string());
      return link;
    } catch (error) {
      link.terminate();
      if (signal.aborted) throw signal.reason;
      if (isRefusal(error)) throw natsRefusal(error as Error);
      throw DaemonError.is(error) ? error : notReached(machineId, String(error), error);
    } finally {
      signal.removeEventListener("abort", abandon);
    }
  }
}

/** The error for a machine that does not serve now. Its sessions are on its disk. */
export function machineGone(machineId: string): ConnectionError {
  return new ConnectionError(
    "MACHINE_GONE",
    `Machine ${machineId} is not online. Its sessions are kept on it, and can be reached when its daemon is back in the fleet.`,
  );
}

function notReached(machineId: string, why: string, cause?: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_FAILED", `Machine ${machineId} cannot be reached: ${why}.`, { cause });
}

/** Throws what the machine refused the dial with. */
function checkAnswer(machineId: string, text: string): void {
  const answer: unknown = JSON.parse(text);
  const error = isRecord(answer) ? answer.error : undefined;
  if (!isRecord(error)) return;
  const code = typeof error.code === "string" && error.code in DAEMON_ERROR_CODES ? error.code : "INTERNAL";
  throw new ConnectionError(code as DaemonErrorCode, `Machine ${machineId} refused the link: ${String(error.message)}`);
}

/** Rejects as soon as the signal is aborted; the result of `promise` is then of no use. */
async function aborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const abort = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => {});
  }
}
