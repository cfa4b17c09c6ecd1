import type { Logger } from "@daemon-sdk/protocol";
import {
  type AckPayload,
  createEnvelope,
  type Envelope,
  type FleetRelay,
  type MailCarrier,
  type MailExchange,
  type NamePlace,
} from "@daemon-sdk/protocol/relay";
import type { Committer } from "../../journal/index.js";
import { EXCHANGE_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import type { DurableMailboxes, Post } from "../mailboxes/index.js";
import {
  type AgentRecord,
  addressFor,
  isInternalName,
  isReservedName,
  type NameRegistry,
  type NamesElsewhere,
} from "../names/index.js";
import { Arrivals } from "./arrivals.js";
import { type Generation, Generations } from "./generations.js";
import { OutboxReader } from "./outbox.js";

/** Where the generations of outboxes are stored; the fact's name is the machine. */
const SCOPE = "outboxes";

/** Options of {@link DaemonExchange}. */
export interface DaemonExchangeOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
  readonly mailboxes: DurableMailboxes;
  readonly registry: NameRegistry;
  readonly elsewhere: NamesElsewhere;
  /** The names here that get a message to many names. */
  recipientsOf(post: Post): string[];
  readonly now: () => number;
  readonly logger: Logger;
}

/** The {@link FleetRelay} of a daemon. */
export class DaemonExchange implements FleetRelay {
  onNameChanged: ((name: string) => void) | undefined;
  /** Called with each envelope that another machine has posted; its payload is checked. */
  onEnvelope: ((envelope: Envelope<unknown>) => void) | undefined;
  readonly #options: DaemonExchangeOptions;
  readonly #arrivals: Arrivals;
  readonly #generations = new Map<string, Generations>();
  /** Machines for which there is mail. */
  readonly #machines = new Set<string>();
  /** Machines whose outboxes have a generation of this start of the daemon. */
  readonly #begun = new Set<string>();
  readonly #outboxes = new Map<string, OutboxReader>();
  #carrier: MailCarrier | undefined;
  #checks: NodeJS.Timeout | undefined;

  constructor(options: DaemonExchangeOptions) {
    this.#options = options;
    this.#arrivals = new Arrivals(options);
  }

  /** Reads what an earlier daemon stored; the mailboxes are loaded already. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [machineId, body] of await this.#options.store.relayFacts(SCOPE)) {
      this.#generations.set(machineId, new Generations(JSON.parse(body) as Generation[]));
    }
    await this.#arrivals.load();
  }

  /** Mail waits for a machine. */
  hasMailFor(machineId: string): void {
    this.#machines.add(machineId);
    if (this.#carrier !== undefined) void this.#open(machineId, this.#carrier);
  }

  names(): { name: string; place: NamePlace }[] {
    const names = new Set(this.#options.registry.records().map(({ name }) => name));
    return [...names].flatMap((name) => {
      const place = this.placeOf(name);
      return place === undefined ? [] : [{ name, place }];
    });
  }

  placeOf(name: string): NamePlace | undefined {
    if (isReservedName(name) || isInternalName(name)) return undefined;
    const { registry } = this.#options;
    const kinds = ["agent", "user"] as const;
    const records = kinds
      .map((kind) => registry.record(addressFor(name, kind)))
      .filter((record): record is AgentRecord => record !== undefined);
    if (records.length === 0) return undefined;
    const isConnected = kinds.some((kind) => registry.isConnected(addressFor(name, kind)));
    const isUser = registry.isConnected(addressFor(name, "user"));
    const entityType = isUser ? "user" : (records[0]?.entityType ?? "agent");
    return { entityType, isConnected, lastSeen: Math.max(...records.map(({ lastSeen }) => lastSeen)) };
  }

  nameElsewhere(machineId: string, name: string, place: NamePlace | undefined): void {
    this.#options.elsewhere.set(machineId, name, place);
  }

  forgetElsewhere(): void {
    this.#options.elsewhere.clear();
  }

  attach(carrier: MailCarrier): MailExchange {
    this.#detach();
    this.#carrier = carrier;
    for (const machineId of this.#machines) void this.#open(machineId, carrier);
    this.#checks = setInterval(() => this.#check(), EXCHANGE_LIMITS.checkMs).unref();
    return {
      receive: (machineId, letters) => this.#arrivals.receive(machineId, letters),
      accountOf: (machineId) => this.#arrivals.accountOf(machineId),
      reported: (machineId, report) => void this.#outboxes.get(machineId)?.report(report).catch(this.#onError),
      posted: (text) => this.#posted(text),
      detach: () => {
        if (this.#carrier === carrier) this.#detach();
      },
    };
  }

  /** Sends an envelope to the relays of all other machines. It is not kept for those that are away. */
  broadcast(envelope: Envelope<object>): void {
    this.#carrier?.post(undefined, JSON.stringify(envelope));
  }

  /** Sends an ACK to the sender that waits for it on another machine. */
  acknowledge(from: string, ack: AckPayload): void {
    const machineId = ack.correlationId === undefined ? undefined : this.#arrivals.awaitedBy(ack.correlationId);
    if (machineId !== undefined) this.#carrier?.post(machineId, JSON.stringify(createEnvelope("ACK", ack, { from })));
  }

  /** Ends with the daemon. */
  stop(): void {
    this.#detach();
  }

  #posted(text: string): void {
    try {
      this.onEnvelope?.(JSON.parse(text) as Envelope<unknown>);
    } catch (error) {
      this.#options.logger.warn({ error: String(error) }, "an envelope of another machine was not understood");
    }
  }

  #detach(): void {
    clearInterval(this.#checks);
    this.#carrier = undefined;
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }

  async #open(machineId: string, carrier: MailCarrier): Promise<void> {
    try {
      const generations = await this.#generationsOf(machineId);
      if (this.#carrier !== carrier) return;
      const outbox = new OutboxReader({
        ...this.#options,
        ...{ machineId, generations, carrier },
        save: () => this.#save(machineId, generations),
      });
      this.#outboxes.get(machineId)?.close();
      this.#outboxes.set(machineId, outbox);
      outbox.open();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** The generations of an outbox, with one of this daemon's own that is stored before a letter is published under it. */
  async #generationsOf(machineId: string): Promise<Generations> {
    const { now, mailboxes } = this.#options;
    const known = this.#generations.get(machineId) ?? new Generations();
    if (this.#begun.has(machineId)) return known;
    const { lowWater, foundPosition: start } = mailboxes.outbox(machineId);
    known.begin({ now: now(), start, lowWater });
    this.#generations.set(machineId, known);
    this.#begun.add(machineId);
    await this.#save(machineId, known);
    return known;
  }

  #save(machineId: string, { list }: Generations): Promise<void> {
    const body = JSON.stringify(list);
    return this.#options.committer.commit([{ kind: "relayFact", scope: SCOPE, name: machineId, body }]);
  }

  #check(): void {
    for (const outbox of this.#outboxes.values()) outbox.check().catch(this.#onError);
  }

  readonly #onError = (error: unknown): void => {
    this.#options.logger.error({ error: String(error) }, "mail for another machine failed; it stays in the store");
  };
}
