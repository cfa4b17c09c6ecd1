import { InvalidOptionError, isRecord } from "@daemon-sdk/protocol";
import { fromSeed } from "@nats-io/jwt";
import { isName } from "../names/index.js";

/** The right to make credentials for machines and services of one tenant. A secret, for whoever sets up machines. */
export interface EnrolmentKey {
  readonly tenant: string;
  /** Public key of the tenant's account. */
  readonly account: string;
  /** Seed of a signing key of the account. */
  readonly seed: string;
  /** Domain of the cluster's JetStream, by which programs behind a leaf use it; undefined: it has none. */
  readonly domain?: string;
}

/** Checks what was read from a file. Throws an `InvalidOptionError`, which does not contain the key. */
export function checkEnrolmentKey(value: unknown): EnrolmentKey {
  if (isRecord(value)) {
    const { tenant, account, seed, domain } = value;
    const isSound = isName(tenant) && typeof account === "string" && isSigningSeed(seed);
    if (isSound && (domain === undefined || isName(domain)))
      return { tenant, account, seed, ...(domain === undefined ? {} : { domain }) };
  }
  throw new InvalidOptionError("key", "an enrolment key of a fleet: { tenant, account, seed, domain? }");
}

function isSigningSeed(seed: unknown): seed is string {
  try {
    return typeof seed === "string" && fromSeed(new TextEncoder().encode(seed)).getPublicKey().startsWith("A");
  } catch {
    return false;
  }
}
