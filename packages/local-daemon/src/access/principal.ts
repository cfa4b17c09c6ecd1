/**
 * The principal of a connection (docs/protocol.md §3, "Whose sessions").
 *
 * The person whose daemon this is (local token, proof, and tickets made with them) reaches every session; a configured key
 * reaches those that were made with it.
 */
export interface Principal {
  /** Id of a configured key, derived from its hash and no secret. Undefined for the person. */
  readonly keyId: string | undefined;
}

/** The person whose daemon this is. */
export const PERSON: Principal = { keyId: undefined };
