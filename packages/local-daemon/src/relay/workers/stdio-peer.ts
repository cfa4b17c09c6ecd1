import { LIMITS, type Logger, newId } from "@daemon-sdk/protocol";
import {
  type AckPayload,
  bodyText,
  createEnvelope,
  type Envelope,
  type ErrorCode,
  type HelloPayload,
  isEnvelopeOf,
  type RelayEnvelope,
} from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { Channels, ShadowTable } from "../groups/index.js";
import type { MailboxCursor, Mailboxes } from "../mailboxes/index.js";
import type { RefusalOptions, RelayPeer } from "../names/index.js";
import { AnswerPosts } from "./answer-posts.js";
import type { TaskAgent, TaskAnswer } from "./task-agent.js";
import { answerAck, answerPost, channelAnswer, type Deliver, isMention, isPrompt } from "./worker-messages.js";

/** Options of {@link StdioPeer}. */
export interface StdioPeerOptions {
  readonly agent: TaskAgent;
  /** In place of the HELLO of a connection. */
  readonly hello: HelloPayload;
  readonly mailboxes: Mailboxes;
  readonly shadows: ShadowTable;
  readonly channels: Pick<Channels, "post">;
  readonly now: () => number;
  readonly logger: Logger;
  /** Takes the answer to a blocking SEND (docs/wire/relay.md#blocking-sends). */
  acknowledge(peer: RelayPeer, ack: AckPayload): void;
}

/**
 * The peer of a stdio agent: to others it is a connected agent like any other.
 *
 * A DELIVER is a prompt, and the answer goes to its sender, in the same thread. When the sender waits for an ACK, the ACK
 * carries the answer. A channel message that mentions the agent is a prompt, too, answered in the channel. Any other message
 * is acknowledged without an answer.
 */
export class StdioPeer implements RelayPeer {
  readonly connectionId: string = newId();
  readonly name: string;
  readonly entityType = "agent";
  readonly hello: HelloPayload;
  readonly connectedAt: number;
  readonly actsForPerson = false;
  readonly ownedSince: number;
  readonly wantsReceipts = false;
  readonly readsBatches = false;
  readonly #options: StdioPeerOptions;
  readonly #answers: AnswerPosts;
  /** Ids of entries that were prompts. */
  readonly #prompted = new Set<string>();
  readonly #onceWritable = new Set<() => void>();
  #cursor: MailboxCursor | undefined;

  constructor(options: StdioPeerOptions) {
    this.#options = options;
    this.#answers = new AnswerPosts(options);
    this.hello = options.hello;
    this.name = options.hello.agent;
    this.connectedAt = options.now();
    this.ownedSince = this.connectedAt;
    void options.agent.gone.then(() => this.#close());
  }

  /** Starts to read the mailbox. */
  open(): void {
    const { agent, mailboxes } = this.#options;
    this.#cursor = mailboxes.attach(this.name, {
      deliver: (text, entryId) => this.#deliver(text, entryId),
      // One prompt runs and one waits. More of them are safer in the mailbox than in memory.
      get isFull() {
        return agent.waiting > 0;
      },
      onceWritable: (callback) => void this.#onceWritable.add(callback),
    });
  }

  send(envelope: Envelope<object>): void {
    if (isEnvelopeOf(envelope, "CHANNEL_MESSAGE") && isMention(envelope, this.name)) this.#mentioned(envelope);
  }

  sendText(text: string): void {
    this.send(JSON.parse(text) as Envelope<object>);
  }

  refuse(code: ErrorCode, message: string, options: RefusalOptions = {}): void {
    this.#options.logger.warn({ agent: this.name, code, refId: options.refId }, message);
    if (options.fatal === true) this.end(message);
  }

  busy(): void {
    // Answers are posted without a SEND; a full mailbox shows in their outcome.
  }

  end(reason: string): void {
    this.#options.logger.info({ agent: this.name, reason }, "A worker is told to end.");
    void this.#options.agent.stop();
  }

  #deliver(text: string, entryId: string): void {
    if (this.#prompted.has(entryId)) return;
    const envelope = JSON.parse(text) as Envelope<object>;
    if (!isEnvelopeOf(envelope, "DELIVER") || !isPrompt(envelope)) {
      this.#cursor?.ack(entryId);
      return;
    }
    this.#remember(entryId);
    this.#options.agent.work({
      text: bodyText(envelope.payload.body),
      onAccepted: () => {
        this.#cursor?.ack(entryId);
        this.#notifyWritable();
      },
      onAnswered: (answer) => this.#answered(envelope, answer),
    });
  }

  #mentioned({ payload }: RelayEnvelope<"CHANNEL_MESSAGE">): void {
    const { agent, channels } = this.#options;
    const answer = (given: TaskAnswer) =>
      channels.post(this, createEnvelope("CHANNEL_MESSAGE", channelAnswer(payload, given)));
    if (agent.waiting >= LIMITS.queuedTurns) {
      const text = `${agent.waiting} messages wait for this agent. It did not take yours; mention it again later.`;
      answer({ text, reason: "refused" });
      return;
    }
    agent.work({
      text: bodyText(payload.body),
      onAccepted: () => this.#notifyWritable(),
      onAnswered: (given) => {
        answer(given);
        this.#notifyWritable();
      },
    });
  }

  #answered(deliver: Deliver, answer: TaskAnswer): void {
    const sync = deliver.payload_meta?.sync;
    const isAwaited = sync?.blocking === true;
    // A prompt that the agent never got stays in the mailbox for its next start, unless its sender waits for an ACK now.
    const isKept = answer.reason === "not_started" && !isAwaited;
    if (isAwaited) this.#options.acknowledge(this, answerAck(deliver, sync.correlationId, answer));
    else if (!isKept) this.#answers.post(answerPost(this.name, deliver, answer));
    if (!isKept) this.#cursor?.ack(deliver.id);
    this.#notifyWritable();
  }

  #remember(entryId: string): void {
    this.#prompted.add(entryId);
    const [oldest] = this.#prompted;
    if (this.#prompted.size > MESSAGING_LIMITS.rememberedPrompts && oldest !== undefined) this.#prompted.delete(oldest);
  }

  #notifyWritable(): void {
    for (const callback of [...this.#onceWritable]) {
      this.#onceWritable.delete(callback);
      callback();
    }
  }

  #close(): void {
    this.#cursor?.close();
    const lost = this.#answers.close();
    if (lost > 0)
      this.#options.logger.warn({ agent: this.name, lost }, "A worker ended with answers nobody had room for.");
  }
}
