import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthenticateParams } from "@daemon-sdk/protocol";
import { PERSON, type Principal } from "./principal.js";
import { Tickets } from "./tickets.js";

/** What a client may present, and in which of its fields. */
export interface CredentialOptions {
  /** The local token of this start. */
  readonly token: string;
  /** Configured keys; only their hashes are kept. */
  readonly apiKeys: readonly string[];
  /** Default: an empty book of its own. */
  readonly tickets?: Tickets;
}

/** A secret that lets in, as its hash, and for whom it speaks. */
interface Known {
  readonly hash: Buffer;
  readonly principal: Principal;
}

/**
 * Checks credentials, and finds their principals. Secrets are compared as hashes in constant time: the time shows neither
 * where two differ nor which one was meant.
 */
export class Credentials {
  /** Those that `create_ticket` made. */
  readonly tickets: Tickets;
  readonly #known: readonly Known[];

  constructor(options: CredentialOptions) {
    this.tickets = options.tickets ?? new Tickets();
    const keys = options.apiKeys.map((key) => ({ hash: hash(key), principal: { keyId: keyIdOf(key) } }));
    this.#known = [{ hash: hash(options.token), principal: PERSON }, ...keys];
  }

  /**
   * Who presents this; undefined when nothing of it is good. Clients of the original put a key into `token` as well
   * (docs/wire/session.md#credential-sources). A ticket is used up, whatever else is presented with it.
   *
   * @param verifyProof checks a proof against the upgrade of this very connection
   */
  identify(params: AuthenticateParams, verifyProof: (proof: string) => boolean): Principal | undefined {
    const { token, apiKey, proof, ticket } = params;
    const secrets = [token, apiKey].map((secret) => (secret === undefined ? undefined : this.#ownerOf(secret)));
    const proven = proof !== undefined && verifyProof(proof) ? PERSON : undefined;
    const redeemed = ticket === undefined ? undefined : this.tickets.redeem(ticket);
    return [proven, ...secrets, redeemed].find((principal) => principal !== undefined);
  }

  #ownerOf(secret: string): Principal | undefined {
    const given = hash(secret);
    // All of them, always: the time until a first match would show which one it was.
    const isMeant = this.#known.map((known) => timingSafeEqual(given, known.hash));
    return this.#known[isMeant.indexOf(true)]?.principal;
  }
}

/**
 * Name of a configured key, the same at every start of the daemon: sessions are stored with it. Derived from the key's hash:
 * a name from the store is no credential.
 */
export function keyIdOf(key: string): string {
  return createHash("sha256").update("daemon-sdk key id\0").update(hash(key)).digest("hex").slice(0, 32);
}

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
