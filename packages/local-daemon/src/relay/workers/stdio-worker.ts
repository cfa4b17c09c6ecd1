import { LIMITS, type Logger, newId } from "@daemon-sdk/protocol";
import {
  type AckPayload,
  type ChannelMessagePayload,
  createEnvelope,
  type Envelope,
  type ErrorCode,
  type HelloPayload,
  isEnvelopeOf,
  type RelayEnvelope,
  type SendMeta,
} from "@daemon-sdk/protocol/relay";
import type { MailboxCursor, Mailboxes, Post } from "../mailboxes/index.js";
import type { RefusalOptions, RelayPeer } from "../names/index.js";
import type { RouteHook } from "../relay-services.js";
import type { WorkerAgent, WorkerAnswer } from "./worker-agent.js";

/** Marks what a worker answers: it is nobody's prompt, or two workers would answer each other for ever. */
const ANSWER_MARK = "_workerAnswer";

/** Ids of tasks that were taken and not yet acknowledged in the store: their redelivery is no second task. */
const REMEMBERED_TASKS = 1_024;

/** Options of {@link StdioWorker}. */
export interface StdioWorkerOptions {
  readonly agent: WorkerAgent;
  /** As if it had said it itself. */
  readonly hello: HelloPayload;
  readonly mailboxes: Mailboxes;
  readonly routeHooks: readonly RouteHook[];
  readonly now: () => number;
  readonly logger: Logger;
  /** The answer to a blocking SEND (docs/wire/relay.md#blocking-sends). */
  acknowledge(peer: RelayPeer, ack: AckPayload): void;
  /** An answer in a channel. */
  postInChannel(peer: RelayPeer, envelope: Envelope<ChannelMessagePayload>): void;
}

type Deliver = RelayEnvelope<"DELIVER">;

/**
 * The daemon's voice of a stdio agent: to everybody else it is a connected agent like any other.
 *
 * A DELIVER to it is a prompt, and the answer goes to the sender, in the same thread; when the sender waits for an ACK, the
 * ACK is the answer. A channel message that mentions it is a prompt, too, answered in the channel. Messages that are no
 * work (kinds `state` and `thinking`, copies for shadows, answers of other workers) are acknowledged and left at that.
 */
export class StdioWorker implements RelayPeer {
  readonly connectionId: string = newId();
  readonly name: string;
  readonly entityType = "agent";
  readonly hello: HelloPayload;
  readonly connectedAt: number;
  readonly wantsReceipts = false;
  readonly readsBatches = false;
  readonly #options: StdioWorkerOptions;
  readonly #taken = new Set<string>();
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #writable = new Set<() => void>();
  #cursor: MailboxCursor | undefined;

  constructor(options: StdioWorkerOptions) {
    this.#options = options;
    this.hello = options.hello;
    this.name = options.hello.agent;
    this.connectedAt = options.now();
    void options.agent.gone.then(() => this.#close());
  }

  /** Starts to take what is in its mailbox. */
  open(): void {
    const { agent, mailboxes } = this.#options;
    this.#cursor = mailboxes.attach(this.name, {
      deliver: (text, entryId) => this.#delivered(text, entryId),
      // One at work and one at hand: the mailbox keeps the others safer than a list in memory.
      get isFull() {
        return agent.waiting > 0;
      },
      onceWritable: (callback) => void this.#writable.add(callback),
    });
  }

  send(envelope: Envelope<object>): void {
    if (isEnvelopeOf(envelope, "CHANNEL_MESSAGE")) this.#heard(envelope);
  }

  sendText(text: string): void {
    this.send(JSON.parse(text) as Envelope<object>);
  }

  refuse(code: ErrorCode, message: string, options: RefusalOptions = {}): void {
    this.#options.logger.warn({ agent: this.name, code, refId: options.refId }, message);
    if (options.fatal === true) this.end(message);
  }

  busy(): void {
    // Its answers do not go through a connection: they learn from their outcome that they have to wait.
  }

  end(reason: string): void {
    this.#options.logger.info({ agent: this.name, reason }, "A worker is told to end.");
    void this.#options.agent.stop();
  }

  #delivered(text: string, entryId: string): void {
    const envelope: unknown = JSON.parse(text);
    if (this.#taken.has(entryId)) return;
    if (!isEnvelopeOf(envelope as Envelope<object>, "DELIVER") || !isWork(envelope as Deliver)) {
      this.#cursor?.ack(entryId);
      return;
    }
    const deliver = envelope as Deliver;
    this.#remember(entryId);
    this.#options.agent.work({
      text: deliver.payload.body,
      onAccepted: () => {
        this.#cursor?.ack(entryId);
        this.#rest();
      },
      onAnswered: (answer) => this.#answered(deliver, answer),
    });
  }

  #heard({ from, payload }: RelayEnvelope<"CHANNEL_MESSAGE">): void {
    const isAnswer = payload.data?.[ANSWER_MARK] === true;
    if (from === undefined || isAnswer || payload.mentions?.includes(this.name) !== true) return;
    const { agent } = this.#options;
    if (agent.waiting >= LIMITS.queuedTurns) {
      const text = `${agent.waiting} messages wait for this agent. It did not take yours; mention it again later.`;
      this.#say(payload, { text, reason: "refused" });
      return;
    }
    agent.work({
      text: payload.body,
      onAccepted: () => this.#rest(),
      onAnswered: (answer) => {
        this.#say(payload, answer);
        this.#rest();
      },
    });
  }

  /** Says something in the channel in which it was mentioned. */
  #say({ channel, thread }: ChannelMessagePayload, { text, reason }: WorkerAnswer): void {
    const data = { [ANSWER_MARK]: true, ...(reason === "completed" ? {} : { _reason: reason }) };
    const answer = { channel, body: text, data, ...(thread === undefined ? {} : { thread }) };
    this.#options.postInChannel(this, createEnvelope("CHANNEL_MESSAGE", answer));
  }

  #answered(deliver: Deliver, answer: WorkerAnswer): void {
    const sync = deliver.payload_meta?.sync;
    const isAwaited = sync?.blocking === true;
    // A prompt that the agent never got stays in the mailbox for its next life, unless somebody is told of it now.
    const isKept = answer.reason === "not_started" && !isAwaited;
    if (isAwaited) this.#options.acknowledge(this, ackOf(deliver, sync.correlationId, answer));
    else if (!isKept) this.#post(answerTo(this.name, deliver, answer));
    if (!isKept) this.#cursor?.ack(deliver.id);
    this.#rest();
  }

  /** Stores an answer; one that finds its recipient's mailbox full waits and tries again. */
  #post(post: Post, isApology = false): void {
    const { mailboxes, routeHooks, logger } = this.#options;
    const send = { ...post, topic: undefined, payload_meta: post.payload_meta, recipients: [post.to] };
    const copies = routeHooks.flatMap((hook) => hook(send));
    void mailboxes.post([post, ...copies]).then(([outcome]) => {
      if (outcome?.state !== "refused") return;
      const { code, message, retryAfterMs = LIMITS.relayHeartbeatMs } = outcome;
      if (code === "BUSY") return this.#postLater(post, retryAfterMs);
      logger.warn({ agent: this.name, to: post.to, code }, `A worker's answer was lost: ${message}`);
      if (code === "BAD_REQUEST" && !isApology) this.#post(apologyFor(post, message), true);
    });
  }

  #postLater(post: Post, afterMs: number): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#post(post);
    }, afterMs);
    this.#retries.add(timer);
  }

  #remember(entryId: string): void {
    this.#taken.add(entryId);
    const [oldest] = this.#taken;
    if (this.#taken.size > REMEMBERED_TASKS && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** There is room for another task. */
  #rest(): void {
    for (const callback of [...this.#writable]) {
      this.#writable.delete(callback);
      callback();
    }
  }

  #close(): void {
    this.#cursor?.close();
    for (const timer of this.#retries) clearTimeout(timer);
    const lost = this.#retries.size;
    if (lost > 0)
      this.#options.logger.warn({ agent: this.name, lost }, "A worker ended with answers nobody had room for.");
  }
}

/** Whether a message asks for something to be done. */
function isWork({ payload: { kind, data } }: Deliver): boolean {
  if (kind === "state" || kind === "thinking") return false;
  return data?.[ANSWER_MARK] !== true && data?._shadowCopy !== true && data?._isSystemMessage !== true;
}

/** The answer as a SEND: in the sender's thread, and under the correlation that the sender gave, in either of its places. */
function answerTo(name: string, { id, from, payload, payload_meta }: Deliver, answer: WorkerAnswer): Post {
  const correlation = payload_meta?.replyTo ?? correlationIn(payload.data);
  const meta: SendMeta = correlation === undefined ? {} : { replyTo: correlation };
  const data = {
    [ANSWER_MARK]: true,
    _isResponse: true,
    ...(correlation === undefined ? {} : { _correlationId: correlation }),
    ...(answer.reason === "completed" ? {} : { _reason: answer.reason }),
  };
  const thread = payload.thread === undefined ? {} : { thread: payload.thread };
  return {
    from: name,
    to: from,
    payload: { kind: "message", body: answer.text, data, ...thread },
    ...(correlation === undefined ? {} : { payload_meta: meta }),
    refId: id,
  };
}

function correlationIn(data: Record<string, unknown> | undefined): string | undefined {
  return typeof data?._correlationId === "string" ? data._correlationId : undefined;
}

function ackOf({ id, delivery }: Deliver, correlationId: string, { text, reason }: WorkerAnswer): AckPayload {
  const response = reason === "completed" ? "OK" : "ERROR";
  return { ack_id: id, seq: delivery.seq, correlationId, response, responseData: text };
}

/** What the sender hears in place of an answer that cannot be delivered. */
function apologyFor(post: Post, why: string): Post {
  const body = `The answer of ${post.payload.body.length} characters could not be delivered. ${why}`;
  return { ...post, payload: { ...post.payload, body } };
}
