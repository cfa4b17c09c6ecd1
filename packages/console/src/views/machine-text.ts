import type { ConsoleMachine } from "@daemon-sdk/protocol";
import { duration } from "../ui/index.js";

/** Why a machine is not there; undefined for one that is online or not known. */
export function machineText(machine: ConsoleMachine | undefined): string | undefined {
  if (machine?.state !== "lost") return undefined;
  const { silentMs } = machine;
  return silentMs === undefined ? "lost" : `lost, without a sign of life for ${duration(silentMs)}`;
}
