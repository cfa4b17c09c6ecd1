/** Where a daemon runs. Names and values are those of the original SDK, which has no `Fleet`. */
export const MachineType = {
  /** This machine. */
  Local: "local",
  /** A sandbox that lives for one task. */
  Ephemeral: "ephemeral",
  /** A person's own machine, reached through a relay. */
  Computer: "computer",
  /** A machine of a fleet, reached over NATS with `@daemon-sdk/fleet`. */
  Fleet: "fleet",
} as const;

/** One of {@link MachineType}'s values. */
export type MachineType = (typeof MachineType)[keyof typeof MachineType];

/** A machine of a fleet, by its name or by a session that it has. The other fields are those of `connectFleet`. */
export type FleetMachineConfig = {
  type: typeof MachineType.Fleet;
  /** Addresses of NATS servers; one is enough. */
  servers: string | readonly string[];
  /** The text of a credentials file (`.creds`). Default: none. */
  credentials?: string;
  /** Name of the tenant. Default `default`. */
  tenant?: string;
  /** Domain of the cluster's JetStream, for a program whose server is a leaf. Default: none. */
  domain?: string;
  /** Name of this service, by which machines know who dials. Default: that of the credentials. */
  client?: string;
} & ({ machineId: string; sessionId?: undefined } | { sessionId: string; machineId?: undefined });

/** The machine whose daemon to connect to. */
export type SDKMachineConfig =
  | { type: typeof MachineType.Local }
  | { type: typeof MachineType.Computer; computerId: string }
  | { type: typeof MachineType.Ephemeral; sandboxId: string; workspaceId?: string }
  | FleetMachineConfig;
