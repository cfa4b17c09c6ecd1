import { LIMITS, ProtocolError } from "@daemon-sdk/protocol";
import type {
  SetModelPayload,
  SetModelResultPayload,
  SpawnPayload,
  SpawnResultPayload,
  WorkerResultPayload,
  WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import type { ReplyOptions } from "./pending-replies.js";
import type { RelayCalls } from "./relay-calls.js";

/** An agent to be started: `name` and `cli` are required, `task` is optional. */
export type SpawnRequest = Omit<SpawnPayload, "task" | "socketPath"> & { readonly task?: string };

/**
 * Agents that the daemon starts and ends for others. A daemon without a spawn manager refuses each call with REMOTE_ERROR.
 * Spawned agents continue when their spawner disconnects, and end with the daemon.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#spawning
 */
export class RelayWorkers {
  readonly #calls: RelayCalls;

  constructor(calls: RelayCalls) {
    this.#calls = calls;
  }

  /**
   * Starts an agent; resolves once it receives messages. Rejects with REMOTE_ERROR and the daemon's reason. Default time-out 60
   * s.
   */
  async spawn({ task = "", ...rest }: SpawnRequest, options?: ReplyOptions): Promise<SpawnResultPayload> {
    const within = { timeoutMs: LIMITS.relaySpawnMs, ...options };
    const result = await this.#calls.ask("SPAWN", { ...rest, task }, "SPAWN_RESULT", within);
    return succeeded("spawn", result);
  }

  /** Ends an agent: its process and its connection. */
  async release(name: string, options?: ReplyOptions & { readonly reason?: string }): Promise<void> {
    const { reason, ...reply } = options ?? {};
    const payload = { name, ...(reason === undefined ? {} : { reason }) };
    const within = { timeoutMs: LIMITS.relayWorkerMs, ...reply };
    succeeded("release", await this.#calls.ask("RELEASE", payload, "RELEASE_RESULT", within));
  }

  /** Agents that were spawned and run. */
  async list(options?: ReplyOptions): Promise<WorkerSummary[]> {
    const within = { timeoutMs: LIMITS.relayWorkerMs, ...options };
    const { workers, error } = await this.#calls.ask("LIST_WORKERS", {}, "LIST_WORKERS_RESULT", within);
    if (error !== undefined) throw new ProtocolError("REMOTE_ERROR", `The daemon did not list workers: ${error}`);
    return workers;
  }

  /** Writes text to an agent's terminal or stdin. */
  async sendInput(name: string, data: string, options?: ReplyOptions): Promise<void> {
    const within = { timeoutMs: LIMITS.relayWorkerMs, ...options };
    succeeded("give input to", await this.#calls.ask("SEND_INPUT", { name, data }, "SEND_INPUT_RESULT", within));
  }

  /** Switches the model of a running agent. Default time-out 45 s. */
  async setModel(name: string, model: string, options?: ReplyOptions): Promise<SetModelResultPayload> {
    const within = { timeoutMs: LIMITS.relaySetModelMs, ...options };
    const payload: SetModelPayload = { name, model };
    return succeeded("set the model of", await this.#calls.ask("SET_MODEL", payload, "SET_MODEL_RESULT", within));
  }
}

function succeeded<Result extends WorkerResultPayload>(what: string, result: Result): Result {
  if (result.success) return result;
  const why = result.error ?? "it gave no reason";
  throw new ProtocolError("REMOTE_ERROR", `The daemon did not ${what} ${result.name}: ${why}`);
}
