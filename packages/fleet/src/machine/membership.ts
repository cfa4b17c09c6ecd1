import type { ConnectionError, FleetMoves, Logger, ReplicaSource, Transport } from "@daemon-sdk/protocol";
import type { FleetRelay } from "@daemon-sdk/protocol/relay";
import type { NatsOptions } from "../nats/index.js";
import type { ReplicaBounds } from "../replica/index.js";

/** The identity that a link's sessions belong to, as in `Daemon.accept`. */
export interface FleetPrincipal {
  /** Undefined for the person whose daemon it is, who reaches every session. */
  readonly keyId: string | undefined;
}

/** The part of a daemon that a fleet needs. `createDaemon` of `@daemon-sdk/local-daemon/server` makes one. */
export interface FleetDaemon {
  readonly endpoint: { readonly version: string };
  readonly closed: Promise<void>;
  /** The relay of a daemon that has one: its agents send messages to names on other machines. */
  readonly relay?: FleetRelay | undefined;
  /** A daemon that lets its sessions be moved to other machines. */
  readonly moves?: FleetMoves | undefined;
  /** A daemon whose sessions can be replicated. */
  readonly replica?: ReplicaSource | undefined;
  accept(transport: Transport, principal?: FleetPrincipal): Promise<void>;
}

/** Options of {@link joinFleet}. */
export interface JoinFleetOptions extends NatsOptions {
  /** Name of the tenant: fleets of different tenants do not see each other. Default `default`. */
  readonly tenant?: string;
  /** Name of this machine, unique in its fleet and the same after a restart: 1 to 64 letters, digits, `_` and `-`. */
  readonly machineId: string;
  /** What sessions may ask for, such as `{ region: "eu" }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Sessions at work that count as full; default 8. A full machine still accepts sessions. */
  readonly capacity?: number;
  /**
   * Whether the sessions of this machine are replicated to the fleet's servers, where they can be read when the machine is lost:
   * conversations leave the machine by that. Asynchronous: what was not acknowledged when the machine is lost is missing. It never delays or
   * fails a turn. Default: false. A replica of before is removed then.
   */
  readonly replica?: boolean | ReplicaBounds;
  /** Copies of the registry in a NATS cluster, 1, 3 or 5; counts for the first who joins. Default 1. */
  readonly replicas?: number;
  /**
   * The identity of a service by its name (`client` of `connectFleet`). Undefined refuses it. Default: each acts for the person whose
   * daemon it is, and reaches every session.
   */
  readonly principal?: (client: string) => FleetPrincipal | undefined | Promise<FleetPrincipal | undefined>;
  /** Default: no log. */
  readonly logger?: Logger;
  /** Interval of renewals in the registry in ms, for tests; default 5 000. */
  readonly renewMs?: number;
}

/** A daemon's membership in a fleet. */
export interface FleetMembership extends AsyncDisposable {
  readonly machineId: string;
  /**
   * Resolves when the membership has ended: undefined after `leave()` and at the end of the daemon; with NAME_TAKEN when another daemon
   * serves as this machine; with AUTH_REJECTED when NATS refuses the credentials from now on. The daemon itself goes on. Never
   * rejects.
   */
  readonly closed: Promise<ConnectionError | undefined>;
  /** Ends the membership: the machine's links are closed, and it counts as lost at once. Sessions continue in the daemon. */
  leave(): Promise<void>;
}
