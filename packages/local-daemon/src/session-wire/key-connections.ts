import { CloseCode, ConnectionError, DaemonError } from "@daemon-sdk/protocol";
import { type Connection, UnreadRoom } from "../connection/index.js";
import { SERVING_LIMITS } from "../limits/index.js";

/** The connections of one key, and what they have not read. */
class OpenConnections {
  readonly connections = new Set<Connection>();
  readonly unread = new UnreadRoom(this.connections);
}

/** The connections of each configured key: each holds some memory. The person's own are not counted. */
export class KeyConnections {
  readonly #open = new Map<string, OpenConnections>();

  /** Throws `QUEUE_FULL` when the key has as many as it may have. */
  check(keyId: string | undefined): void {
    const most = SERVING_LIMITS.connectionsPerKey;
    if (keyId === undefined || (this.#open.get(keyId)?.connections.size ?? 0) < most) return;
    throw new DaemonError("QUEUE_FULL", `${most} connections of this key are open already (connectionsPerKey).`);
  }

  /** Adds one; throws as {@link check} does. */
  add(keyId: string | undefined, connection: Connection): void {
    this.check(keyId);
    if (keyId === undefined) return;
    this.#of(keyId).connections.add(connection);
  }

  /** What counts the unread messages of a key's connections; undefined for the person's. */
  unreadOf(keyId: string | undefined): UnreadRoom | undefined {
    return keyId === undefined ? undefined : this.#of(keyId).unread;
  }

  /** One of them has ended. */
  remove(keyId: string | undefined, connection: Connection): void {
    const open = keyId === undefined ? undefined : this.#open.get(keyId);
    open?.connections.delete(connection);
    if (keyId !== undefined && open?.connections.size === 0) this.#open.delete(keyId);
  }

  #of(keyId: string): OpenConnections {
    const open = this.#open.get(keyId) ?? new OpenConnections();
    this.#open.set(keyId, open);
    return open;
  }

  /** Closes the connections of keys that are not configured any more. The sessions of these keys are kept. */
  close(keyIds: readonly string[]): void {
    const error = new ConnectionError("AUTH_REJECTED", "The key of this connection is not configured any more.");
    for (const connection of keyIds.flatMap((keyId) => [...(this.#open.get(keyId)?.connections ?? [])])) {
      connection.fail(error, CloseCode.unauthenticated);
    }
  }
}
