import { isRecord } from "@daemon-sdk/protocol";
import { isName } from "../names/index.js";

/** Labels of a machine, such as `{ region: "eu", gpu: "a100" }`. */
export type MachineLabels = Readonly<Record<string, string>>;

/** What a machine announces of itself while it serves. */
export interface MachineEntry {
  readonly machineId: string;
  /** Names the start of the machine's membership. */
  readonly instance: string;
  readonly labels: MachineLabels;
  /** Names of its agents, the default first. */
  readonly agents: readonly string[];
  /** Sessions at work … */
  readonly working: number;
  /** … and how many of them the machine counts as full. */
  readonly capacity: number;
  /** Version of its daemon. */
  readonly version: string;
  /** Present when its sessions are replicated, so that they can be read when it is lost: `fleet.replica`. */
  readonly hasReplica?: true;
}

/**
 * - `online`: it renewed its entry within the lease.
 * - `lost`: it did not. Its sessions are on its disk, and can be reached when it is back.
 */
export type MachineState = "online" | "lost";

/** One machine of a fleet. */
export interface FleetMachine extends MachineEntry {
  readonly state: MachineState;
  /** Revision of its entry in the registry. */
  readonly revision: number;
  /** Share of its capacity that is at work; over 1 when it has more. */
  readonly load: number;
  /** Milliseconds since this process got the last sign of life of the machine; absent when it has got none. */
  readonly silentMs?: number;
}

/** Reads the entry of a machine; undefined for what is none of it, such as one of a later version, or one that another program wrote. */
export function readMachineEntry(id: string, bytes: Uint8Array): MachineEntry | undefined {
  const value = parse(bytes);
  if (!isRecord(value)) return undefined;
  const { machineId, instance, labels, agents, working, capacity, version, hasReplica } = value;
  // Both become tokens of subjects.
  if (machineId !== id || !isName(id) || typeof instance !== "string" || !isName(instance)) return undefined;
  if (!isRecord(labels) || !Array.isArray(agents)) return undefined;
  if (!isCount(working) || !isCount(capacity) || capacity === 0) return undefined;
  const texts = Object.entries(labels).filter((label): label is [string, string] => typeof label[1] === "string");
  return {
    ...{ machineId: id, instance, working, capacity },
    labels: Object.fromEntries(texts),
    agents: agents.filter((agent): agent is string => typeof agent === "string"),
    version: typeof version === "string" ? version : "",
    ...(hasReplica === true ? { hasReplica } : {}),
  };
}

/** A load is the quotient of two of them. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
