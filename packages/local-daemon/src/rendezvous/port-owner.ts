import { readFile } from "node:fs/promises";

/** State "listening" in the kernel's table. */
const LISTEN = "0A";
/** 127.0.0.1 and 0.0.0.0 as the table writes them. */
const LOCAL_ADDRESSES = ["0100007F", "00000000"];

/**
 * False when, by the kernel's table, another user or nobody listens on a TCP port of this machine.
 *
 * Linux only. Other systems have no such table, and the result is true.
 */
export async function isOurListener(port: number): Promise<boolean> {
  const uid = process.getuid?.();
  const table = await readFile("/proc/net/tcp", "utf8").catch(() => undefined);
  if (table === undefined || uid === undefined) return true;
  const addresses = LOCAL_ADDRESSES.map((address) => `${address}:${port.toString(16).toUpperCase().padStart(4, "0")}`);
  const owners = table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap((columns) => {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid …
      const [, local = "", , state, , , , owner] = columns;
      return state === LISTEN && addresses.includes(local) ? [Number(owner)] : [];
    });
  return owners.length > 0 && owners.every((owner) => owner === uid);
}
