import { InvalidOptionError } from "@daemon-sdk/protocol";
import { createUser, encodeUser, fmtCreds } from "@nats-io/jwt";
import { FLEET_LIMITS } from "../limits/index.js";
import { checkName, Subjects } from "../names/index.js";
import { checkEnrolmentKey, type EnrolmentKey } from "./enrolment-key.js";
import { machinePermissions, servicePermissions, withDomain } from "./permissions.js";

/** For whom credentials are made: one of `machineId` and `client`. */
export interface EnrolOptions {
  /** A machine of that name. */
  readonly machineId?: string;
  /** A service of that name. */
  readonly client?: string;
  /**
   * Whether a machine may write its replica; whether a service may read the replicas of all machines, that is every session of theirs,
   * whoever it belongs to. Default: false.
   */
  readonly replicas?: boolean;
  /** How long the credentials are valid, in ms from now; default 90 days. The server ends connections that outlive them. */
  readonly validMs?: number;
}

/** Credentials of one machine or one service. */
export interface Enrolment {
  /** The text of a credentials file. A secret. */
  readonly credentials: string;
  /** Public key, by which the credentials can be revoked. */
  readonly user: string;
  readonly expiresAt: Date;
}

/**
 * Makes credentials with which a program can be this machine or this service and no other. Needs no server.
 *
 * Throws an `InvalidOptionError`.
 */
export async function enrol(key: EnrolmentKey, options: EnrolOptions): Promise<Enrolment> {
  const { tenant, account, seed, domain } = checkEnrolmentKey(key);
  const { name, permissions } = identityOf(new Subjects(tenant), options, domain);
  const { validMs = FLEET_LIMITS.credentialsMs } = options;
  if (!Number.isFinite(validMs) || validMs <= 0) throw new InvalidOptionError("validMs", "a number above 0", validMs);
  const exp = Math.ceil((Date.now() + validMs) / 1_000);
  const pair = createUser();
  const jwt = await encodeUser(name, pair, account, permissions, { signer: seed, exp });
  return {
    credentials: new TextDecoder().decode(fmtCreds(jwt, pair)),
    user: pair.getPublicKey(),
    expiresAt: new Date(exp * 1_000),
  };
}

function identityOf(
  subjects: Subjects,
  { machineId, client, replicas = false }: EnrolOptions,
  domain: string | undefined,
) {
  if ((machineId === undefined) === (client === undefined))
    throw new InvalidOptionError("machineId", "either the name of a machine or that of a service (`client`)");
  if (machineId !== undefined) {
    checkName("machineId", machineId);
    return {
      name: `machine ${machineId}`,
      permissions: withDomain(machinePermissions(subjects, machineId, { replicas }), domain),
    };
  }
  const name = checkName("client", client);
  return {
    name: `service ${name}`,
    permissions: withDomain(servicePermissions(subjects, name, { replicas }), domain),
  };
}
