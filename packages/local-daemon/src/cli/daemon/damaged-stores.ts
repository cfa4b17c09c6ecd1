import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { STATE_FILES } from "../../rendezvous/index.js";

/** Paths of stores that a start found damaged and put aside; their names are those that `StoreRepair` gives. */
export async function damagedStoresIn(stateDir: string): Promise<string[]> {
  const names = await readdir(stateDir).catch(() => []);
  const isDamaged = (name: string) => name.startsWith(`${STATE_FILES.database}.damaged-`) && !name.endsWith("-wal");
  return names.filter(isDamaged).map((name) => join(stateDir, name));
}
