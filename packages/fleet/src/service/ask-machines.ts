import { TimeoutError } from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";
import type { FleetMachine } from "../registry/index.js";
import { machineGone } from "./machine-links.js";

/** A machine that has no part in a result, and why. */
export interface MissingMachine {
  readonly machineId: string;
  readonly error: Error;
  /** Present when the machine keeps a replica of its sessions in the fleet: `fleet.replica(machineId)`. */
  readonly hasReplica?: true;
}

/** The result of a call to all machines: what came, and who did not answer. */
export interface FleetResult<Item> {
  readonly items: readonly Item[];
  /** Empty when the result is whole. */
  readonly missing: readonly MissingMachine[];
}

/**
 * Asks every machine that is known, some at a time, each for a bounded time. A machine that is lost, fails, or is late is in `missing`;
 * so a partial result is never taken for a whole one.
 */
export async function askMachines<Item>(
  machines: readonly FleetMachine[],
  ask: (machine: FleetMachine) => Promise<readonly Item[]>,
): Promise<FleetResult<Item>> {
  const items: Item[] = [];
  const missing: MissingMachine[] = [];
  const left = [...machines];
  const askNext = async () => {
    for (let machine = left.shift(); machine !== undefined; machine = left.shift()) {
      const { machineId, state, hasReplica } = machine;
      try {
        if (state !== "online") throw machineGone(machineId);
        items.push(...(await within(ask(machine), machineId)));
      } catch (error) {
        missing.push({ machineId, error: error as Error, ...(hasReplica === true ? { hasReplica } : {}) });
      }
    }
  };
  await Promise.all(Array.from({ length: FLEET_LIMITS.asksAtOnce }, askNext));
  missing.sort((one, other) => (one.machineId < other.machineId ? -1 : 1));
  return { items, missing };
}

async function within<T>(promise: Promise<T>, machineId: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const { askTimeoutMs } = FLEET_LIMITS;
    timer = setTimeout(
      () => reject(new TimeoutError(`The answer of machine ${machineId}`, askTimeoutMs)),
      askTimeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
