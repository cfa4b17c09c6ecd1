/** Where a daemon runs. Names and values are those of the original SDK. */
export const MachineType = {
  /** This machine. */
  Local: "local",
  /** A sandbox that lives for one task. */
  Ephemeral: "ephemeral",
  /** A person's own machine, reached through a relay. */
  Computer: "computer",
} as const;

/** One of {@link MachineType}'s values. */
export type MachineType = (typeof MachineType)[keyof typeof MachineType];

/** The machine whose daemon to connect to. */
export type SDKMachineConfig =
  | { type: typeof MachineType.Local }
  | { type: typeof MachineType.Computer; computerId: string }
  | { type: typeof MachineType.Ephemeral; sandboxId: string; workspaceId?: string };
