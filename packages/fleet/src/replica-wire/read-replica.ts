import { ConnectionError, TimeoutError } from "@daemon-sdk/protocol";
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream";
import { type Msg, type NatsConnection, nanos } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { randomToken } from "../names/index.js";
import { HEAD } from "./replica-head.js";

/** One message of a replica. */
export interface ReplicaMessage {
  /** Token of the session. */
  readonly session: string;
  readonly part: string;
  /** Text of its head. */
  readonly head: string;
  readonly body: Uint8Array;
  /** Its number in the stream. */
  readonly no: number;
}

/** What is read of a stream. */
export interface ReplicaQuery {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  /** Subjects that are read. */
  readonly filter: string;
  /** Where the server sends them: below this program's own inbox, where nobody else may listen. */
  readonly inbox: string;
  /** Only the last message of each subject … */
  readonly isLastOnly?: boolean;
  /** … and only the heads. */
  readonly isHeadOnly?: boolean;
}

/**
 * Reads what a stream has now, in order, by a consumer that the server forgets by itself. The server sends as much as is taken. A hole in
 * what comes rejects, and so does a server that is silent.
 *
 * A push consumer, because permissions can say which subjects it may read: its filter is a part of the subject of the request. Of a
 * consumer that is asked they cannot.
 */
export async function* readReplica(query: ReplicaQuery): AsyncGenerator<ReplicaMessage> {
  const { nats, manager, stream, filter } = query;
  const token = randomToken();
  const subject = `${query.inbox}.${token}`;
  const arrivals = new Arrivals(nats, subject);
  try {
    const { num_pending: pending } = await manager.consumers.add(stream, {
      ...{ name: token, filter_subject: filter, deliver_subject: subject, ack_policy: AckPolicy.None },
      deliver_policy: query.isLastOnly === true ? DeliverPolicy.LastPerSubject : DeliverPolicy.All,
      ...{ replay_policy: ReplayPolicy.Instant, max_deliver: 1, num_replicas: 1 },
      ...{
        flow_control: true,
        idle_heartbeat: nanos(FLEET_LIMITS.replicaBeatMs),
        headers_only: query.isHeadOnly === true,
      },
      ...{ inactive_threshold: nanos(FLEET_LIMITS.replicaReadMs) },
      mem_storage: true,
    });
    for (let count = 0; count < pending; count += 1) {
      const message = await arrivals.next(count + 1);
      if (message === undefined) return;
      yield message;
      if (arrivals.isEnd) return;
    }
  } finally {
    arrivals.close();
    void manager.consumers.delete(stream, token).catch(() => {});
  }
}

/** What arrives of one consumer, in its order. */
class Arrivals {
  readonly #queue: ReplicaMessage[] = [];
  readonly #places: { readonly number: number; readonly left: number }[] = [];
  readonly #subscription;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  /** Messages that the consumer has delivered, as its last beat states. */
  #delivered: number | undefined;
  #isEnd = false;

  constructor(nats: NatsConnection, subject: string) {
    this.#subscription = nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#arrived(nats, message);
        else this.#failure = error;
        this.#wake?.();
      },
    });
  }

  /** Whether the consumer had no other message when it delivered the last one. */
  get isEnd(): boolean {
    return this.#isEnd;
  }

  /** The message that the consumer delivers as that one; undefined when there is none any more, because what it counted was removed. */
  async next(number: number): Promise<ReplicaMessage | undefined> {
    while (this.#queue.length === 0 && this.#failure === undefined) {
      if (this.#delivered === number - 1) return undefined;
      await this.#arrival();
    }
    const message = this.#queue.shift();
    if (message === undefined) throw this.#failure;
    const place = this.#places.shift();
    this.#isEnd = place?.left === 0;
    if (place?.number === number) return message;
    throw new ConnectionError("CONNECTION_FAILED", "A message of the replica was lost on its way. Read it again.");
  }

  close(): void {
    this.#subscription.unsubscribe();
  }

  async #arrival(): Promise<void> {
    const { replicaReadMs } = FLEET_LIMITS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#failure = new TimeoutError("The next message of the replica", replicaReadMs);
        resolve();
      }, replicaReadMs);
      this.#wake = resolve;
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #arrived(nats: NatsConnection, message: Msg): void {
    if (message.headers?.code === CONTROL) {
      // A request to go on, or a beat that names one that was lost.
      const stalled = message.headers.get("Nats-Consumer-Stalled");
      this.#delivered = Number(message.headers.get("Nats-Last-Consumer") || Number.NaN);
      if (message.reply !== undefined && message.reply !== "") message.respond();
      else if (stalled !== "") nats.publish(stalled);
      return;
    }
    const [session = "", part = ""] = message.subject.split(".").slice(-2);
    const { no, number, left } = numbersOf(message.reply ?? "");
    this.#delivered = undefined;
    this.#places.push({ number, left });
    this.#queue.push({ session, part, head: message.headers?.get(HEAD) ?? "", body: message.data, no });
  }
}

/** Status of messages of the server itself. */
const CONTROL = 100;

/** From the subject of an acknowledgement: `$JS.ACK.<stream>.<consumer>.<delivered>.<no>.<number>.<time>.<left>`, with two tokens more before the stream in later servers. */
function numbersOf(reply: string): { readonly no: number; readonly number: number; readonly left: number } {
  const tokens = reply.split(".");
  const at = tokens.length > 9 ? 7 : 5;
  return { no: Number(tokens[at]), number: Number(tokens[at + 1]), left: Number(tokens[at + 3]) };
}
