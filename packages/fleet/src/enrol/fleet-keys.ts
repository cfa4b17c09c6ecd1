import { createAccount, createOperator, encodeAccount, encodeOperator, type KeyPair } from "@nats-io/jwt";
import { checkName } from "../names/index.js";
import type { EnrolmentKey } from "./enrolment-key.js";
import { systemCredentials } from "./system-credentials.js";

/** Everything that a new cluster with one tenant needs. Each text goes to one place only. */
export interface FleetKeys {
  /** Lines for the configuration file of each server. No secret. */
  readonly serverConfig: string;
  /** Seed of the operator. It makes and changes tenants: keep it offline. */
  readonly operatorSeed: string;
  /** Credentials of the system account, with which a changed tenant reaches the servers. */
  readonly systemCredentials: string;
  /** Makes credentials of machines and services of the tenant. */
  readonly enrolmentKey: EnrolmentKey;
}

/** Options of {@link createFleetKeys}. */
export interface FleetKeysOptions {
  /**
   * Name of the cluster's JetStream domain, 1 to 64 letters, digits, `_` and `-`: for machines and services whose server is a leaf.
   * Default: none.
   */
  readonly domain?: string;
}

/** No bound; JetStream is off for an account that names none. */
const LIMITS = {
  ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  ...{ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
};
/** The system account has no JetStream. */
const SYSTEM_LIMITS = { ...LIMITS, mem_storage: 0, disk_storage: 0, streams: 0, consumer: 0 };

/**
 * Makes the keys of a new cluster: an operator, its system account, and an account for one tenant.
 *
 * @param directory where each server keeps its accounts and streams, an absolute path on its disk
 */
export async function createFleetKeys(
  tenant: string,
  directory: string,
  { domain }: FleetKeysOptions = {},
): Promise<FleetKeys> {
  checkName("tenant", tenant);
  if (domain !== undefined) checkName("domain", domain);
  const [operator, system, account, signer] = [createOperator(), createAccount(), createAccount(), createAccount()];
  const systemId = system.getPublicKey();
  const accountId = account.getPublicKey();
  const operatorJwt = await encodeOperator("fleet", operator, { system_account: systemId });
  const systemJwt = await encodeAccount("SYS", system, { limits: SYSTEM_LIMITS }, { signer: operator });
  const tenantClaims = { limits: LIMITS, signing_keys: [signer.getPublicKey()] };
  const tenantJwt = await encodeAccount(tenant, account, tenantClaims, { signer: operator });
  return {
    serverConfig: [
      `jetstream: { store_dir: ${JSON.stringify(`${directory}/jetstream`)}${domain === undefined ? "" : `, domain: ${domain}`} }`,
      // Credentials are one line of the protocol: those of long names are larger than the 4 KiB that a line may have.
      "max_control_line: 64KB",
      `operator: ${operatorJwt}`,
      `system_account: ${systemId}`,
      `resolver: { type: full, dir: ${JSON.stringify(`${directory}/accounts`)}, allow_delete: false, interval: "2m" }`,
      `resolver_preload: { ${systemId}: ${systemJwt}, ${accountId}: ${tenantJwt} }`,
      "",
    ].join("\n"),
    operatorSeed: seedOf(operator),
    systemCredentials: await systemCredentials(system),
    enrolmentKey: { tenant, account: accountId, seed: seedOf(signer), ...(domain === undefined ? {} : { domain }) },
  };
}

function seedOf(pair: KeyPair): string {
  return new TextDecoder().decode(pair.getSeed());
}
