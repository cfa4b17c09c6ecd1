import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@daemon-sdk/protocol";
import {
  type Consumer,
  type ConsumerMessages,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { isName, type Subjects } from "../names/index.js";
import { registryFailure } from "../registry/index.js";
import type { MailLetter } from "./fleet-relay.js";
import { decodeLetter, encodeLetter } from "./letter-bytes.js";

/** Options of {@link MailStream}. */
export interface MailStreamOptions {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly tenant: string;
  readonly machineId: string;
  readonly replicas: number;
  readonly logger: Logger;
  /** Stores letters of one machine, in order. When it rejects they are read again. */
  onLetters(sender: string, letters: readonly MailLetter[]): Promise<void>;
}

/**
 * The stream that keeps the mail of a tenant's machines until its receivers have stored it. It is a way, and not a store: a letter
 * that it loses is published again, because its sender drops it only when the receiver reports it.
 */
export class MailStream {
  readonly #options: MailStreamOptions;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #name: string;
  #reading: AbortController | undefined;
  #messages: ConsumerMessages | undefined;

  private constructor(options: MailStreamOptions, manager: JetStreamManager) {
    this.#options = options;
    this.#manager = manager;
    this.#client = jetstream(options.nats);
    this.#name = nameOf(options.tenant);
  }

  /** Opens the stream, and makes it when it is missing. Rejects with CONNECTION_FAILED. */
  static async open(options: MailStreamOptions): Promise<MailStream> {
    try {
      const manager = await jetstreamManager(options.nats);
      await manager.streams.add({
        name: nameOf(options.tenant),
        subjects: [options.subjects.allMail],
        num_replicas: options.replicas,
        max_age: nanos(FLEET_LIMITS.mailAgeMs),
        // A full stream refuses letters, which wait in the outboxes of their senders.
        discard: DiscardPolicy.New,
      });
      return new MailStream(options, manager);
    } catch (cause) {
      throw registryFailure("opened for mail", cause);
    }
  }

  /** Resolves when the stream keeps the letter, or its empty place because it is too large for the server. */
  async publish(machineId: string, letter: MailLetter): Promise<"kept" | "too_large"> {
    const { nats, subjects, machineId: own } = this.#options;
    const whole = encodeLetter(letter);
    const isTooLarge = whole.length > (nats.info?.max_payload ?? Number.POSITIVE_INFINITY);
    const bytes = isTooLarge ? encodeLetter({ ...letter, text: "" }) : whole;
    const { publishTimeoutMs: timeout } = FLEET_LIMITS;
    await this.#client.publish(subjects.mail(machineId, own), bytes, { timeout, retries: 0 });
    return isTooLarge ? "too_large" : "kept";
  }

  /** Begins to read what the stream has for this machine, from its first letter. */
  start(): void {
    this.stop();
    const reading = new AbortController();
    this.#reading = reading;
    void this.#read(reading.signal);
  }

  stop(): void {
    this.#reading?.abort();
    // Not awaited: within its own loop it would never end.
    void this.#messages?.close();
    this.#messages = undefined;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    while (!signal.aborted) {
      let consumer: Consumer | undefined;
      try {
        consumer = await this.#client.consumers.get(this.#name, { filter_subjects: this.#filter });
        await this.#consume(consumer, signal);
      } catch (error) {
        if (!signal.aborted) logger.info({ error: String(error) }, "mail of other machines is read again");
      }
      // Ephemeral: the server removes it by itself when this fails.
      if (!signal.aborted) void consumer?.delete().catch(() => {});
      await delay(FLEET_LIMITS.readAgainMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #consume(consumer: Consumer, signal: AbortSignal): Promise<void> {
    const messages = await consumer.consume({ max_messages: FLEET_LIMITS.lettersAtOnce });
    if (signal.aborted) {
      void messages.close();
      return;
    }
    this.#messages = messages;
    let batch: JsMsg[] = [];
    let purgeAt = 0;
    try {
      for await (const message of messages) {
        batch.push(message);
        if (batch.length < FLEET_LIMITS.lettersAtOnce && messages.getPending() > 0) continue;
        await this.#store(batch);
        if (signal.aborted) return;
        const isIdle = message.info.pending === 0;
        if (isIdle || message.seq >= purgeAt) this.#purge(message.seq);
        if (isIdle || message.seq >= purgeAt) purgeAt = message.seq + FLEET_LIMITS.lettersAtOnce;
        batch = [];
      }
    } finally {
      void messages.close();
    }
  }

  async #store(batch: readonly JsMsg[]): Promise<void> {
    const bySender = new Map<string, MailLetter[]>();
    for (const { subject, data, seq } of batch) {
      const sender = subject.split(".").at(-1) ?? "";
      const letter = decodeLetter(data);
      if (letter === undefined || !isName(sender)) {
        this.#options.logger.warn(
          { sender, seq },
          "a message in the stream of mail is not one that this version reads",
        );
        continue;
      }
      const letters = bySender.get(sender) ?? [];
      bySender.set(sender, letters);
      letters.push(letter);
    }
    await Promise.all([...bySender].map(([sender, letters]) => this.#options.onLetters(sender, letters)));
  }

  /** Removes what this machine has stored, or what is published again because something before it is missing. */
  #purge(seq: number): void {
    this.#manager.streams.purge(this.#name, { filter: this.#filter, seq: seq + 1 }).catch((error: unknown) => {
      this.#options.logger.info({ error: String(error) }, "mail that is stored stays in the stream for now");
    });
  }

  get #filter(): string {
    return this.#options.subjects.mail(this.#options.machineId);
  }
}

function nameOf(tenant: string): string {
  return `f_${tenant}_mail`;
}
