/**
 * In whose name a connection speaks (docs/protocol.md §3, "Whose sessions").
 *
 * The person whose daemon this is (local token, proof, and tickets made with them) reaches every session; a configured key
 * reaches those that were made with it.
 */
export interface Principal {
  /** Names a configured key: derived from its hash, no secret. Undefined: the person. */
  readonly keyId: string | undefined;
}

/** The person whose daemon this is. */
export const PERSON: Principal = { keyId: undefined };
