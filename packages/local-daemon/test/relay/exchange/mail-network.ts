import type { FleetRelay, MailAccount, MailExchange, MailLetter } from "@daemon-sdk/protocol/relay";
import type { SeededRandom } from "@daemon-sdk/testing";

/** How often the network does wrong, of one: letters and reports that it loses, and letters that it repeats. */
export interface NetworkFaults {
  readonly random: SeededRandom;
  readonly loses: number;
  readonly repeats: number;
}

/** Machines of a fleet in one process: keeps what is published for a machine, as a stream does, and loses what it is told to. */
export class MailNetwork {
  readonly #faults: NetworkFaults | undefined;
  readonly #machines = new Map<string, { exchange: FleetRelay; mail: MailExchange }>();
  readonly #streams = new Map<string, { from: string; letter: MailLetter }[]>();
  readonly #delivering = new Set<string>();
  /** How many letters were published. */
  published = 0;

  constructor(faults?: NetworkFaults) {
    this.#faults = faults;
  }

  /** A machine joins: it announces its names, knows those of the others, and gets its mail. */
  join(machineId: string, exchange: FleetRelay): void {
    const mail = exchange.attach({
      publish: async (to, letter) => {
        this.#publish(machineId, to, letter);
        return "kept";
      },
      post: (to, text) => {
        for (const [id, { mail: other }] of this.#machines) {
          if (id !== machineId && (to === undefined || to === id)) other.posted(text);
        }
      },
      ask: async (to) => this.#machines.get(to)?.mail.accountOf(machineId),
    });
    for (const [id, other] of this.#machines) {
      for (const { name, place } of exchange.names()) other.exchange.nameElsewhere(machineId, name, place);
      for (const { name, place } of other.exchange.names()) exchange.nameElsewhere(id, name, place);
    }
    exchange.onNameChanged = (name) => {
      for (const [id, other] of this.#machines) {
        if (id !== machineId) other.exchange.nameElsewhere(machineId, name, exchange.placeOf(name));
      }
    };
    this.#machines.set(machineId, { exchange, mail });
    void this.#deliver(machineId);
  }

  /** The machine is gone, with what was on its way from it. */
  leave(machineId: string): void {
    this.#machines.get(machineId)?.mail.detach();
    this.#machines.delete(machineId);
  }

  /** What a machine has stored of another one's mail. */
  accountOf(machineId: string, sender: string): MailAccount | undefined {
    return this.#machines.get(machineId)?.mail.accountOf(sender);
  }

  #publish(from: string, to: string, letter: MailLetter): void {
    this.published++;
    const { random, loses = 0, repeats = 0 } = this.#faults ?? {};
    if (random?.chance(loses)) return;
    const stream = this.#streams.get(to) ?? [];
    this.#streams.set(to, stream);
    stream.push({ from, letter });
    if (random?.chance(repeats)) stream.push({ from, letter });
    void this.#deliver(to);
  }

  async #deliver(to: string): Promise<void> {
    if (this.#delivering.has(to)) return;
    this.#delivering.add(to);
    const stream = this.#streams.get(to) ?? [];
    for (let machine = this.#machines.get(to); machine !== undefined; machine = this.#machines.get(to)) {
      const first = stream.shift();
      if (first === undefined) break;
      const report = await machine.mail.receive(first.from, [first.letter]);
      const isLost = this.#faults?.random.chance(this.#faults.loses);
      if (!isLost) this.#machines.get(first.from)?.mail.reported(to, report);
    }
    this.#delivering.delete(to);
  }
}
