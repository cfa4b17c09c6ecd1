import { silentLogger } from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";
import { checkName, randomToken } from "../names/index.js";
import { checkCapacity, checkLabels, checkReplica } from "./check-options.js";
import { FleetMember } from "./fleet-member.js";
import type { FleetDaemon, FleetMembership, FleetPrincipal, JoinFleetOptions } from "./membership.js";

/**
 * Lets services reach a daemon through NATS: `connectFleet` finds it by its machine's name, and places sessions on it. Nothing listens
 * on this machine for that, so it may be behind NAT.
 *
 * While NATS is away the daemon and its local clients go on; links are cut, and services connect again when it is back. The membership
 * ends with the daemon.
 *
 * Rejects with an `InvalidOptionError`; with CONNECTION_FAILED or AUTH_REJECTED when NATS or its JetStream cannot be used; with NAME_TAKEN
 * when another daemon serves as this machine.
 */
export async function joinFleet(daemon: FleetDaemon, options: JoinFleetOptions): Promise<FleetMembership> {
  const { servers, credentials, domain, tenant = "default", machineId, labels = {}, replicas = 1, renewMs } = options;
  const {
    capacity = FLEET_LIMITS.capacity,
    logger = silentLogger,
    principal = () => PERSON,
    replica = false,
  } = options;
  checkName("tenant", tenant);
  checkName("machineId", machineId);
  if (domain !== undefined) checkName("domain", domain);
  checkLabels(labels);
  checkCapacity(capacity);
  return FleetMember.join({
    ...{ daemon, tenant, machineId, labels, capacity, principal, logger, renewMs },
    nats: { servers, ...(credentials === undefined ? {} : { credentials }) },
    streams: { replicas, domain },
    replica: checkReplica(replica),
    instance: randomToken(),
  });
}

/** The person whose daemon this is. */
const PERSON: FleetPrincipal = { keyId: undefined };
