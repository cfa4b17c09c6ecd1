import { createHash } from "node:crypto";
import { MESSAGING_LIMITS } from "../../limits/index.js";

/** A session and the hash of the token that resumes it. */
export interface KnownSession {
  readonly id: string;
  readonly tokenHash: string;
}

/**
 * One owner of a name: who can show one of these secrets is that owner. Of secrets only hashes are stored.
 */
export interface Claim {
  /** Oldest first. */
  readonly sessions: readonly KnownSession[];
  /** Hash of the credential of the owner's process. */
  readonly credentialHash?: string | undefined;
  /** The owner has proven to act for the person: so has everybody who proves that again. */
  readonly isPerson?: boolean | undefined;
  /** The daemon started the owner, after a SPAWN. Another SPAWN may have the name. */
  readonly isSpawned?: boolean | undefined;
  /** Unix milliseconds. */
  readonly since: number;
}

/** What a HELLO shows for the ownership of its name. */
export interface Evidence {
  readonly token?: string | undefined;
  readonly credential?: string | undefined;
  /** The connection has proven to act for the person. */
  readonly isPerson: boolean;
}

/** The claim that the evidence proves; -1: none. */
export function provenClaim(claims: readonly Claim[], { token, credential, isPerson }: Evidence): number {
  const tokenHash = token === undefined ? undefined : hashOf(token);
  const credentialHash = credential === undefined ? undefined : hashOf(credential);
  return claims.findIndex(
    (claim) =>
      (isPerson && claim.isPerson === true) ||
      (credentialHash !== undefined && claim.credentialHash === credentialHash) ||
      claim.sessions.some((session) => session.tokenHash === tokenHash),
  );
}

/** A claim with the secrets of one more connection of its owner. `session`: the new one, when there is one. */
export function renewedClaim(claim: Claim, evidence: Evidence, session: KnownSession | undefined): Claim {
  const sessions = [...claim.sessions, ...(session === undefined ? [] : [session])];
  const { credential, isPerson } = evidence;
  return {
    ...claim,
    sessions: sessions.slice(-MESSAGING_LIMITS.resumableSessions),
    ...(credential === undefined ? {} : { credentialHash: hashOf(credential) }),
    ...(isPerson ? { isPerson } : {}),
  };
}

/** The form in which secrets are stored. They are random, so one round is enough. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
