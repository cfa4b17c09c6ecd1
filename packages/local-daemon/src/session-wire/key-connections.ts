import { DaemonError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** Counts the connections of each configured key: each holds some memory. The person's own are not counted. */
export class KeyConnections {
  readonly #counts = new Map<string, number>();

  /** Counts one more. Throws `QUEUE_FULL` when the key has as many as it may have. */
  add(keyId: string | undefined): void {
    if (keyId === undefined) return;
    const count = this.#counts.get(keyId) ?? 0;
    const most = SERVING_LIMITS.connectionsPerKey;
    if (count >= most) {
      throw new DaemonError("QUEUE_FULL", `${most} connections of this key are open already (connectionsPerKey).`);
    }
    this.#counts.set(keyId, count + 1);
  }

  /** One of them has ended. */
  remove(keyId: string | undefined): void {
    if (keyId === undefined) return;
    const left = (this.#counts.get(keyId) ?? 1) - 1;
    if (left === 0) this.#counts.delete(keyId);
    else this.#counts.set(keyId, left);
  }
}
