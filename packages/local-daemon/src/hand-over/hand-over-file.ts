import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "@daemon-sdk/protocol";
import type { HolderAddress } from "../agents/index.js";
import { readPrivateFile, STATE_FILES, writePrivateFile } from "../rendezvous/index.js";

/**
 * Leaves word of a holder for the next daemon, whichever that is. Only the daemon that has the state directory writes, reads or
 * removes it.
 */
export async function writeHandOver(stateDir: string, address: HolderAddress): Promise<void> {
  await writePrivateFile(pathIn(stateDir), `${JSON.stringify(address)}\n`);
}

/** Where the daemon before this one keeps what it handed over; undefined when it handed nothing over. Never rejects. */
export async function readHandOver(stateDir: string): Promise<HolderAddress | undefined> {
  const text = await readPrivateFile(pathIn(stateDir));
  if (text === undefined) return undefined;
  try {
    const address: unknown = JSON.parse(text);
    return isHolderAddress(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the file: a later daemon finds nothing. */
export async function removeHandOver(stateDir: string): Promise<void> {
  await rm(pathIn(stateDir), { force: true }).catch(() => {});
}

/** Whether that is the address of a holder. */
export function isHolderAddress(value: unknown): value is HolderAddress {
  return isRecord(value) && typeof value.socketPath === "string" && typeof value.secret === "string";
}

function pathIn(stateDir: string): string {
  return join(stateDir, STATE_FILES.handOver);
}
