import { InvalidOptionError, LIMITS } from "@daemon-sdk/protocol";

/**
 * The principal of a connection (docs/protocol.md §3, "Whose sessions").
 *
 * The person whose daemon this is (local token, proof, and tickets made with them) reaches every session; a configured key
 * reaches those that were made with it.
 */
export interface Principal {
  /**
   * Undefined for the person. Otherwise the id of a configured key, derived from its hash and no secret; or an id that a program
   * chose which authenticates its users itself, such as `user-42`. Such a user has the bounds of a key and no policy.
   */
  readonly keyId: string | undefined;
}

/** The person whose daemon this is. */
export const PERSON: Principal = { keyId: undefined };

/** Throws an `InvalidOptionError` unless it is a principal. */
export function checkPrincipal(principal: Principal): void {
  const keyId: unknown = Object(principal).keyId;
  const isPrincipal = typeof principal === "object" && principal !== null && "keyId" in principal;
  if (isPrincipal && keyId === undefined) return;
  if (typeof keyId === "string" && keyId !== "" && keyId.length <= LIMITS.idChars) return;
  const wanted = `PERSON, or { keyId } with a text of 1 to ${LIMITS.idChars} characters`;
  throw new InvalidOptionError("principal", wanted, keyId);
}
