import { ConnectionError } from "@daemon-sdk/protocol";
import type { FleetMachine, MachineLabels } from "../registry/index.js";

/** What a session needs of its machine. */
export interface SessionNeeds {
  /** Name of an agent that the machine has, and with which the session is made. */
  readonly agent?: string;
  /** Labels that the machine has, all of them with these values. */
  readonly labels?: MachineLabels;
}

/** Whether a machine can have a session of these needs. */
export function meets({ agents, labels, state }: FleetMachine, needs: SessionNeeds): boolean {
  if (state !== "online") return false;
  if (needs.agent !== undefined && !agents.includes(needs.agent)) return false;
  return Object.entries(needs.labels ?? {}).every(([name, value]) => labels[name] === value);
}

/**
 * Chooses machines for sessions: of those that meet the needs, the less loaded of two at random. So services that place at the same time,
 * on entries that are seconds old, do not all choose one machine.
 */
export class Placement {
  readonly #random: () => number;
  /** Sessions placed here since a machine's last entry, which does not count them yet. */
  readonly #placed = new Map<string, { readonly entry: string; count: number }>();

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Chooses a machine. Throws a `ConnectionError` NO_MACHINE when none that is not in `tried` meets the needs. */
  choose(machines: readonly FleetMachine[], needs: SessionNeeds, tried: ReadonlySet<string>): FleetMachine {
    const fit = machines.filter((machine) => !tried.has(machine.machineId) && meets(machine, needs));
    const first = this.#draw(fit);
    const second = this.#draw(fit.filter((machine) => machine !== first)) ?? first;
    if (first === undefined || second === undefined) throw noMachine(machines, needs, tried);
    const chosen = this.#loadOf(second) < this.#loadOf(first) ? second : first;
    this.#count(chosen);
    return chosen;
  }

  #draw(machines: readonly FleetMachine[]): FleetMachine | undefined {
    return machines[Math.floor(this.#random() * machines.length)];
  }

  #loadOf(machine: FleetMachine): number {
    const placed = this.#placed.get(machine.machineId);
    const extra = placed?.entry === entryOf(machine) ? placed.count : 0;
    return (machine.working + extra) / machine.capacity;
  }

  #count(machine: FleetMachine): void {
    const entry = entryOf(machine);
    const placed = this.#placed.get(machine.machineId);
    if (placed?.entry === entry) placed.count += 1;
    else this.#placed.set(machine.machineId, { entry, count: 1 });
  }
}

/** Tells two entries of one machine apart. */
function entryOf({ instance, revision }: FleetMachine): string {
  return `${instance} ${revision}`;
}

function noMachine(
  machines: readonly FleetMachine[],
  needs: SessionNeeds,
  tried: ReadonlySet<string>,
): ConnectionError {
  const online = machines.filter(({ state }) => state === "online").length;
  const seen = `${online} of ${machines.length} machines are online, ${tried.size} could not be reached`;
  return new ConnectionError("NO_MACHINE", `No machine meets the needs ${JSON.stringify(needs)}: ${seen}.`);
}
