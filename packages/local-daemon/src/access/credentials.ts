import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthenticateParams } from "@daemon-sdk/protocol";
import { keyIdOf } from "./key-id.js";
import type { ConfiguredKey } from "./key-policy.js";
import { PERSON, type Principal } from "./principal.js";
import { TabCredentials } from "./tab-credentials.js";
import { Tickets } from "./tickets.js";

/** Accepted credentials, by the field of the request. */
export interface CredentialOptions {
  /** The local token of this start. */
  readonly token: string;
  /** Configured keys; only their hashes are kept. */
  readonly apiKeys: readonly (string | ConfiguredKey)[];
  /** Default: a new empty one. */
  readonly tickets?: Tickets;
}

/** The hash of an accepted secret, with its principal. */
interface Known {
  readonly hash: Buffer;
  readonly principal: Principal;
}

/**
 * Checks credentials, and finds their principals. Secrets are compared as hashes in constant time: the time depends neither
 * on where two differ nor on which one matched.
 */
export class Credentials {
  /** Tickets of `create_ticket`. */
  readonly tickets: Tickets;
  /** Credentials of the console's tabs. They are accepted by the console's own requests only, and by no connection. */
  readonly tabs = new TabCredentials();
  readonly #token: Known;
  #keys: readonly (Known & { readonly principal: { readonly keyId: string } })[] = [];

  constructor(options: CredentialOptions) {
    this.tickets = options.tickets ?? new Tickets();
    this.#token = { hash: hash(options.token), principal: PERSON };
    this.replaceKeys(options.apiKeys);
  }

  /** Accepts these keys from now on, and no others. Returns the ids of keys that are gone; their unused tickets are dropped. */
  replaceKeys(apiKeys: readonly (string | ConfiguredKey)[]): string[] {
    const before = this.#keys.map(({ principal }) => principal.keyId);
    const secrets = apiKeys.map((one) => (typeof one === "string" ? one : one.key));
    this.#keys = secrets.map((key) => ({ hash: hash(key), principal: { keyId: keyIdOf(key) } }));
    const gone = before.filter((keyId) => !this.#keys.some(({ principal }) => principal.keyId === keyId));
    this.tickets.drop(new Set(gone));
    this.tabs.drop(new Set(gone));
    return gone;
  }

  /**
   * The principal of these credentials; undefined when none is valid. Clients of the original send a key in `token` as well
   * (docs/wire/session.md#credential-sources). A ticket is consumed, even if another credential is sent with it.
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
    // Always compares all: the time until a first match would depend on which one matches.
    const known: readonly Known[] = [this.#token, ...this.#keys];
    const isMeant = known.map((one) => timingSafeEqual(given, one.hash));
    return known[isMeant.indexOf(true)]?.principal;
  }
}

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
