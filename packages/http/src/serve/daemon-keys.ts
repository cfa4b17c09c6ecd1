import { createHash, timingSafeEqual } from "node:crypto";
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { resolveLocalAuthToken } from "@daemon-sdk/client/local";
import { DaemonError } from "@daemon-sdk/protocol";
import type { HttpPrincipal } from "../access/index.js";

/** The caller who sends the daemon's own token: the person whose daemon it is. */
const PERSON: HttpPrincipal = { id: "person" };

/**
 * The callers of the local daemon, by the keys of its configuration and by its token. Each has a connection of its own, made with its
 * key. So the daemon keeps their sessions apart and applies the policies of their keys, as for any other client.
 */
export class DaemonKeys {
  readonly #keys: () => Promise<readonly string[]>;
  readonly #connections = new Map<string, Promise<DaemonConnection>>();

  /** @param keys the keys as they are now */
  constructor(keys: () => Promise<readonly string[]>) {
    this.#keys = keys;
  }

  /** The caller of a request, by `Authorization: Bearer …`. */
  readonly authorize = async (request: Request): Promise<HttpPrincipal | 401> => {
    const [, secret] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (secret === undefined) return 401;
    const given = hashOf(secret);
    const [keys, token] = await Promise.all([this.#keys(), resolveLocalAuthToken()]);
    const callers = keys.map((key) => ({ hash: hashOf(key), principal: principalOf(key) }));
    if (token !== undefined) callers.push({ hash: hashOf(token), principal: PERSON });
    // Always compares all: the time until a first match would depend on which one matches.
    const matches = callers.map(({ hash }) => timingSafeEqual(hash, given));
    return callers[matches.indexOf(true)]?.principal ?? 401;
  };

  /** The connection of a caller; a new one where there is none, or where the last one has ended. */
  readonly connectionOf = (principal: HttpPrincipal): Promise<DaemonConnection> => {
    const found = this.#connections.get(principal.id);
    if (found !== undefined) return found;
    const made = this.#connect(principal);
    this.#connections.set(principal.id, made);
    const forget = () => {
      if (this.#connections.get(principal.id) === made) this.#connections.delete(principal.id);
    };
    made.then((connection) => connection.closed.then(forget), forget);
    return made;
  };

  /** Closes all connections. Sessions and their turns continue. */
  async close(): Promise<void> {
    const connections = await Promise.allSettled(this.#connections.values());
    await Promise.all(connections.map(async (one) => one.status === "fulfilled" && one.value.close()));
  }

  async #connect({ id }: HttpPrincipal): Promise<DaemonConnection> {
    if (id === PERSON.id) return connectDaemon();
    const apiKey = (await this.#keys()).find((key) => principalOf(key).id === id);
    // A webhook of a key that was removed.
    if (apiKey === undefined)
      throw new DaemonError("NOT_ALLOWED", "The key of this caller is not configured any more.");
    return connectDaemon({ apiKey });
  }
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** The caller of a key. The id is no credential: it is derived from the key's hash. */
function principalOf(key: string): HttpPrincipal {
  const hash = createHash("sha256").update("daemon-sdk http caller\0").update(hashOf(key));
  return { id: `key-${hash.digest("hex").slice(0, 32)}` };
}
