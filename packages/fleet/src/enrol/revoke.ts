import { ConnectionError, InvalidOptionError, isRecord } from "@daemon-sdk/protocol";
import { type Account, decode, encodeAccount } from "@nats-io/jwt";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { closeNats, type NatsOptions, openNats } from "../nats/index.js";

/** Options of {@link revoke}. */
export interface RevokeOptions {
  /** Addresses of servers of the cluster. */
  readonly servers: NatsOptions["servers"];
  /** Credentials of the system account. */
  readonly systemCredentials: string;
  /** Seed of the operator. */
  readonly operatorSeed: string;
  /** Public key of the tenant's account. */
  readonly account: string;
  /** Public key of the credentials, or `*` for all that were made until now. */
  readonly user: string;
}

const USER = /^(U[A-Z2-7]{55}|\*)$/;

/**
 * Revokes credentials. The servers end the connections that use them, and refuse them from then on. Resolves when a server has the
 * change; it passes it to the others of its cluster.
 *
 * Rejects with an `InvalidOptionError`; as `connectFleet` does when NATS cannot be reached; with CONNECTION_FAILED when it does not take
 * the change.
 */
export async function revoke({
  servers,
  systemCredentials,
  operatorSeed,
  account,
  user,
}: RevokeOptions): Promise<void> {
  if (!USER.test(user)) throw new InvalidOptionError("user", "a public key of a user (U…), or `*`", user);
  const nats = await openNats({ servers, credentials: systemCredentials }, { name: "fleet revoke" });
  try {
    const text = await ask(nats, `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`, "");
    const { name, nats: claims } = decode<Account>(text);
    const revocations = { ...claims.revocations, [user]: Math.floor(Date.now() / 1_000) };
    const changed = await encodeAccount(name, account, { ...claims, revocations }, { signer: operatorSeed });
    const answer: unknown = JSON.parse(await ask(nats, "$SYS.REQ.CLAIMS.UPDATE", changed));
    if (!isRecord(answer) || isRecord(answer.error))
      throw new ConnectionError("CONNECTION_FAILED", `NATS did not take the change: ${JSON.stringify(answer)}.`);
  } finally {
    await closeNats(nats, false);
  }
}

async function ask(nats: NatsConnection, subject: string, text: string): Promise<string> {
  try {
    return (await nats.request(subject, text, { timeout: FLEET_LIMITS.askTimeoutMs })).string();
  } catch (cause) {
    throw new ConnectionError("CONNECTION_FAILED", `NATS did not answer on ${subject}: ${String(cause)}.`, { cause });
  }
}
