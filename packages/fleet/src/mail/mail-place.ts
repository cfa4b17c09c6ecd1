import type { Logger } from "@daemon-sdk/protocol";
import type { FleetRelay } from "@daemon-sdk/protocol/relay";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Subjects } from "../names/index.js";
import type { StreamPlace } from "../registry/index.js";

/** The machine whose relay spans the fleet, and how it reaches the others. */
export interface MailPlace {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly machineId: string;
  readonly streams: StreamPlace;
  readonly relay: FleetRelay;
  readonly logger: Logger;
}
