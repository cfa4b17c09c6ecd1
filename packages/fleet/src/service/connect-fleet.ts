import { silentLogger } from "@daemon-sdk/protocol";
import { LinkRouter } from "../link/index.js";
import { checkName, randomToken, Subjects } from "../names/index.js";
import { type NatsDial, type NatsOptions, openNatsBy, serviceOf } from "../nats-base/index.js";
import { MachineDirectory, openBuckets, SessionDirectory } from "../registry/index.js";
import { Fleet } from "./fleet.js";
import { type FleetConnectionOptions, MachineLinks } from "./machine-links.js";

/** Options of `connectFleet`. */
export interface ConnectFleetOptions extends NatsOptions, FleetConnectionOptions {
  /** Name of the tenant. Default `default`. */
  readonly tenant?: string;
  /** Name of this service, by which machines know who dials; several programs may have one name. Default: that of credentials which `enrol` made, else a random one. */
  readonly client?: string;
  /** Copies of the registry in a NATS cluster, 1, 3 or 5; counts for the first who connects. Default 1. */
  readonly replicas?: number;
}

/** Connects a service to its fleet; see `connectFleet` of the entry points. */
export type ConnectFleet = (options: ConnectFleetOptions) => Promise<Fleet>;

/** Makes the `connectFleet` of one platform. */
export function createConnectFleet(dial: NatsDial): ConnectFleet {
  return (options) => connectFleetBy(dial, options);
}

async function connectFleetBy(dial: NatsDial, options: ConnectFleetOptions): Promise<Fleet> {
  const { servers, credentials, domain, tenant = "default", replicas = 1, client: named, ...connection } = options;
  const client = named ?? (credentials === undefined ? undefined : serviceOf(credentials)) ?? randomToken();
  checkName("tenant", tenant);
  checkName("client", client);
  if (domain !== undefined) checkName("domain", domain);
  const { logger = silentLogger } = connection;
  const subjects = new Subjects(tenant);
  const given = { servers, ...(credentials === undefined ? {} : { credentials }) };
  const nats = await openNatsBy(dial, given, { name: `service ${client}`, inbox: subjects.clientInbox(client) });
  try {
    const streams = { replicas, domain };
    const buckets = await openBuckets(nats, subjects, streams);
    const machines = await MachineDirectory.open(buckets, logger);
    const self = { client, instance: randomToken() };
    const router = new LinkRouter({ nats, subjects, prefix: subjects.client(self), link: { logger } });
    await router.ready();
    const links = new MachineLinks({ nats, router, subjects, self, machines, connection });
    return new Fleet({
      ...{ nats, router, subjects, machines, links, streams, inbox: subjects.clientInbox(client) },
      sessions: new SessionDirectory(buckets.sessions),
    });
  } catch (error) {
    await nats.close();
    throw error;
  }
}
