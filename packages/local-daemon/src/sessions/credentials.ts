import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthenticateParams } from "@daemon-sdk/protocol";

/** What a client may present, and in which of its fields. */
export interface CredentialOptions {
  /** The local token of this start. */
  readonly token: string;
  /** Configured keys; only their hashes are kept. */
  readonly apiKeys: readonly string[];
}

/**
 * Decides whether a credential is good. Secrets are compared as hashes, in a time that tells nothing of where they differ
 * nor of which one was meant.
 */
export class Credentials {
  readonly #hashes: readonly Buffer[];

  constructor(options: CredentialOptions) {
    this.#hashes = [options.token, ...options.apiKeys].map(hash);
  }

  /**
   * Whether any of what was presented is good. Clients of the original put a key into `token` as well (session spec §3.4).
   *
   * @param verifyProof checks a proof against the upgrade of this very connection
   */
  accepts(params: AuthenticateParams, verifyProof: (proof: string) => boolean): boolean {
    const { token, apiKey, proof } = params;
    const isKnown = [token, apiKey].map((secret) => secret !== undefined && this.#isKnown(secret));
    return isKnown.includes(true) || (proof !== undefined && verifyProof(proof));
  }

  #isKnown(secret: string): boolean {
    const given = hash(secret);
    // All of them, always: stopping at the first match would tell which one it was.
    return this.#hashes.map((known) => timingSafeEqual(given, known)).includes(true);
  }
}

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
