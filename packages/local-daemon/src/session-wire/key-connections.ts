import { CloseCode, ConnectionError, DaemonError } from "@daemon-sdk/protocol";
import type { Connection } from "../connection/index.js";
import { SERVING_LIMITS } from "../limits/index.js";

/** The connections of each configured key: each holds some memory. The person's own are not counted. */
export class KeyConnections {
  readonly #open = new Map<string, Set<Connection>>();

  /** Throws `QUEUE_FULL` when the key has as many as it may have. */
  check(keyId: string | undefined): void {
    const most = SERVING_LIMITS.connectionsPerKey;
    if (keyId === undefined || (this.#open.get(keyId)?.size ?? 0) < most) return;
    throw new DaemonError("QUEUE_FULL", `${most} connections of this key are open already (connectionsPerKey).`);
  }

  /** Adds one; throws as {@link check} does. */
  add(keyId: string | undefined, connection: Connection): void {
    this.check(keyId);
    if (keyId === undefined) return;
    const open = this.#open.get(keyId) ?? new Set();
    this.#open.set(keyId, open.add(connection));
  }

  /** One of them has ended. */
  remove(keyId: string | undefined, connection: Connection): void {
    const open = keyId === undefined ? undefined : this.#open.get(keyId);
    open?.delete(connection);
    if (keyId !== undefined && open?.size === 0) this.#open.delete(keyId);
  }

  /** Closes the connections of keys that are not configured any more. The sessions of these keys are kept. */
  close(keyIds: readonly string[]): void {
    const error = new ConnectionError("AUTH_REJECTED", "The key of this connection is not configured any more.");
    for (const connection of keyIds.flatMap((keyId) => [...(this.#open.get(keyId) ?? [])])) {
      connection.fail(error, CloseCode.unauthenticated);
    }
  }
}
