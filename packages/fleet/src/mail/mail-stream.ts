import { setTimeout as delay } from "node:timers/promises";
import type { MailLetter } from "@daemon-sdk/protocol/relay";
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
import { nanos } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { isName } from "../names/index.js";
import { jetStreamOptions, makeStream, registryFailure } from "../registry/index.js";
import { decodeLetter, encodeLetter } from "./letter-bytes.js";
import type { MailPlace } from "./mail-place.js";

/** Options of {@link MailStream}. */
export interface MailStreamOptions extends Omit<MailPlace, "relay"> {
  /** Stores letters of one machine, in order. When it rejects they are read again. */
  onLetters(sender: string, letters: readonly MailLetter[]): Promise<void>;
}

/**
 * The stream that keeps a machine's mail until the machine has stored it, and the way into the streams of others. It is a way, and not a
 * store: a letter that it loses is published again, because its sender drops it only when the receiver reports it.
 */
export class MailStream {
  readonly #options: MailStreamOptions;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #name: string;
  #reading: AbortController | undefined;
  #messages: ConsumerMessages | undefined;
  /** Of the last message that was stored. */
  #stored = 0;
  #purging: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: MailStreamOptions, manager: JetStreamManager) {
    this.#options = options;
    this.#manager = manager;
    this.#client = jetstream(options.nats, jetStreamOptions(options.streams));
    this.#name = options.subjects.mailStream(options.machineId);
  }

  /** Opens the stream, and makes it when it is missing. Rejects with CONNECTION_FAILED. */
  static async open(options: MailStreamOptions): Promise<MailStream> {
    try {
      const { nats, subjects, machineId, streams } = options;
      const manager = await jetstreamManager(nats, jetStreamOptions(streams));
      await makeStream(manager.streams, {
        name: subjects.mailStream(machineId),
        subjects: [subjects.mail(machineId)],
        num_replicas: streams.replicas,
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
    clearTimeout(this.#purging);
    this.#purging = undefined;
    // Not awaited: within its own loop it would never end.
    void this.#messages?.close();
    this.#messages = undefined;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    while (!signal.aborted) {
      let consumer: Consumer | undefined;
      try {
        consumer = await this.#client.consumers.get(this.#name, {});
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
    const { lettersAtOnce } = FLEET_LIMITS;
    const messages = await consumer.consume({ max_messages: lettersAtOnce });
    if (signal.aborted) {
      void messages.close();
      return;
    }
    this.#messages = messages;
    const queue: JsMsg[] = [];
    let storing: Promise<void> | undefined;
    let failure: unknown;
    const store = async () => {
      try {
        while (queue.length > 0 && !signal.aborted) await this.#storeNext(queue, signal);
      } catch (error) {
        failure = error;
        void messages.close();
      } finally {
        // Before anything else runs, so that no message is left over.
        storing = undefined;
      }
    };
    for await (const message of messages) {
      if (signal.aborted) return;
      queue.push(message);
      // What comes while a batch is stored is the next batch. The iterator's own count of what waits cannot be relied on.
      storing ??= store();
      if (queue.length >= 2 * lettersAtOnce) await storing;
    }
    if (failure !== undefined) throw failure;
  }

  async #storeNext(queue: JsMsg[], signal: AbortSignal): Promise<void> {
    const batch = queue.splice(0, FLEET_LIMITS.lettersAtOnce);
    await this.#store(batch);
    this.#stored = batch.at(-1)?.seq ?? 0;
    if (!signal.aborted) this.#purging ??= setTimeout(() => this.#purge(), FLEET_LIMITS.purgeMs);
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
  #purge(): void {
    this.#purging = undefined;
    this.#manager.streams.purge(this.#name, { seq: this.#stored + 1 }).catch((error: unknown) => {
      this.#options.logger.info({ error: String(error) }, "mail that is stored stays in the stream for now");
    });
  }
}
