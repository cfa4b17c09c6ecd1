import { type AckPayload, ErrorCode, type ReceiptState, type RelayEnvelope } from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import { shadowCopies } from "../groups/index.js";
import type { Post, PostOutcome, PostRefusal } from "../mailboxes/index.js";
import type { RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import type { ConnectedPeer } from "../wire/index.js";
import type { BlockingSends } from "./blocking-sends.js";
import { RateLimit } from "./rate-limit.js";
import { ReceiptWriter } from "./receipt-writer.js";
import type { RelayParts } from "./relay-parts.js";

type Send = RelayEnvelope<"SEND">;

/** Addresses of the daemon itself to which clients of the original may write; this daemon has no one there. */
const DAEMON_ADDRESSES = new Set(["_router", "_consensus", "_system"]);

/** Options of {@link sendHandlers}. */
export interface SendOptions
  extends Pick<RelayParts, "directory" | "mailboxes" | "topics" | "shadows" | "elsewhere" | "exchange"> {
  readonly limits: RelayParts["limits"];
  readonly now: () => number;
  readonly blocking: BlockingSends;
}

/**
 * SEND and ACK: direct, to everybody, to topics, to users, and the ones that wait for an answer
 * (docs/wire/relay.md#routing).
 */
export function sendHandlers(options: SendOptions): HandlerGroup {
  const { blocking, limits, now } = options;
  const rate = new RateLimit({ perSecond: limits.relaySendsPerSecond, burst: limits.relaySendBurst, now });
  const sends = new Sends(options, rate);
  return {
    handlers: {
      SEND: (peer, envelope) => {
        peer.endProcessing();
        sends.send(peer, envelope);
      },
      ACK: (peer, envelope) => {
        if (!acknowledge(peer, envelope.payload)) peer.refuse("BAD_REQUEST", NAMES_NOTHING, { refId: envelope.id });
        else if (!blocking.answer(peer, envelope.payload)) options.exchange.acknowledge(peer.name, envelope.payload);
      },
    },
    onLeft: (peer) => {
      blocking.forget(peer);
      // A sender without HELLO has no last connection.
      if (!options.directory.isConnected(peer.name, peer.entityType)) rate.forget(peer.name);
    },
    onGone: ({ name }) => rate.forget(name),
    onStop: () => blocking.stop(),
  };
}

const NAMES_NOTHING =
  "The payload of an ACK needs `ack_id`, the id of a DELIVER, or the `correlationId` of its sender.";

/** Acknowledges what an ACK names. False when it names nothing. */
function acknowledge(peer: ConnectedPeer, { ack_id: entryId, correlationId, also = [] }: AckPayload): boolean {
  if (entryId !== undefined) peer.cursor?.ack(entryId);
  else if (correlationId !== undefined) peer.cursor?.ackAwaited(correlationId);
  for (const id of also) peer.cursor?.ack(id);
  return entryId !== undefined || correlationId !== undefined || also.length > 0;
}

/** The connected names, or the subscribers of a topic, that get a message to many names. */
export function recipientsHere(
  { directory, topics }: Pick<RelayParts, "directory" | "topics">,
  { to, topic }: Pick<Post, "to" | "topic">,
): string[] {
  if (to === "@users") return directory.users().map(({ name }) => name);
  if (topic !== undefined) return topics.subscribers(topic);
  return [...directory.agents(), ...directory.users()].map(({ name }) => name);
}

class Sends {
  readonly #options: SendOptions;
  readonly #rate: RateLimit;
  readonly #receipts = new ReceiptWriter();

  constructor(options: SendOptions, rate: RateLimit) {
    this.#options = options;
    this.#rate = rate;
  }

  send(peer: RelayPeer, envelope: Send): void {
    const retryAfterMs = this.#rate.take(peer.name);
    if (retryAfterMs !== undefined) {
      const message = `More SENDs than are taken in this time: message ${envelope.id} was not taken.`;
      this.#refuse(peer, envelope, { state: "refused", code: "BUSY", message, retryAfterMs, queueDepth: 0 });
      return;
    }
    const recipients = this.#recipientsOf(peer, envelope);
    if (!Array.isArray(recipients)) {
      this.#refuse(peer, envelope, recipients);
      return;
    }
    const refusal = this.#openBlocking(peer, envelope, recipients);
    if (refusal !== undefined) {
      this.#refuse(peer, envelope, refusal);
      return;
    }
    this.#post(peer, envelope, recipients);
  }

  /** The names that get the message, or why none does. */
  #recipientsOf(peer: RelayPeer, { id, to, topic }: Send): string[] | PostRefusal {
    const { directory, topics } = this.#options;
    const others = (names: readonly string[]) => [...new Set(names)].filter((name) => name !== peer.name);
    if (to === undefined || to === "") {
      return refused("BAD_REQUEST", `Message ${id} has no recipient: set \`to\` to a name, "*" or "@users".`);
    }
    if (to === "*" || to === "@users") return others(recipientsHere({ directory, topics }, { to, topic }));
    if (!DAEMON_ADDRESSES.has(to) && directory.isReachable(to)) return [to];
    return refused("NOT_FOUND", `Nobody is known as ${JSON.stringify(to)}: message ${id} was not delivered.`);
  }

  /** Opens the wait for an answer, when the SEND is blocking. */
  #openBlocking(peer: RelayPeer, { id, payload_meta: meta }: Send, recipients: string[]): PostRefusal | undefined {
    const { blocking, limits } = this.#options;
    const sync = meta?.sync;
    if (sync === undefined || !sync.blocking) return undefined;
    const { correlationId, timeoutMs = limits.relayAckTimeoutMs } = sync;
    if (recipients.length === 0) return refused("NOT_FOUND", `Nobody gets message ${id}, so nobody can answer it.`);
    if (blocking.has(correlationId)) return refused("INTERNAL", `Duplicate correlationId: ${correlationId}`);
    if (blocking.size >= limits.relayBlockingSends) {
      const busy = { retryAfterMs: MESSAGING_LIMITS.blockingRetryMs, queueDepth: blocking.size };
      return { ...refused("BUSY", `Too many SENDs wait for an ACK: message ${id} was not taken.`), ...busy };
    }
    blocking.open({ correlationId, sender: peer, refId: id, addressees: recipients, timeoutMs });
    return undefined;
  }

  /** Stores the message for its recipients, and copies of it for shadows in the same transaction. */
  #post(peer: RelayPeer, envelope: Send, recipients: readonly string[]): void {
    const { mailboxes, shadows, elsewhere } = this.#options;
    const { id: refId, to = "", topic, payload, payload_meta } = envelope;
    const { name: from } = peer;
    const originalTo = to === "*" || to === "@users" ? to : undefined;
    const posts = recipients.map((name): Post => ({ from, to: name, payload, topic, payload_meta, originalTo, refId }));
    // One message for each machine, which has recipients of its own for it. Who is away may have subscribed to a topic.
    const machines = originalTo === undefined ? [] : elsewhere.machines(topic === undefined ? "connected" : "known");
    posts.push(...machines.map((machineId): Post => ({ from, to, payload, topic, payload_meta, refId, machineId })));
    const known = posts.length;
    posts.push(...shadowCopies(shadows, { from, to, payload, topic, payload_meta, refId }));
    if (posts.length === 0) this.#settled(peer, envelope, []);
    // The sender gets no receipt for copies, whose outcomes follow those of the recipients.
    else mailboxes.submit(posts, (outcomes) => this.#settled(peer, envelope, outcomes.slice(0, known)));
  }

  #settled(peer: RelayPeer, envelope: Send, outcomes: readonly PostOutcome[]): void {
    const refusal = outcomes.find((outcome): outcome is PostRefusal => outcome.state === "refused");
    if (refusal !== undefined) this.#write(peer, envelope, refusal);
    const isRefused = refusal !== undefined && outcomes.every(({ state }) => state === "refused");
    const correlationId = envelope.payload_meta?.sync?.correlationId;
    if (isRefused && correlationId !== undefined) this.#options.blocking.cancel(correlationId);
    const isDelivered = outcomes.every(({ state }) => state === "delivered");
    this.#receipt(peer, envelope, isRefused ? "refused" : isDelivered ? "delivered" : "queued");
  }

  #refuse(peer: RelayPeer, envelope: Send, refusal: PostRefusal): void {
    this.#write(peer, envelope, refusal);
    this.#receipt(peer, envelope, "refused");
  }

  #write(
    peer: RelayPeer,
    { id }: Send,
    { code, message, retryAfterMs = MESSAGING_LIMITS.blockingRetryMs, queueDepth = 0 }: PostRefusal,
  ) {
    if (code === "BUSY") peer.busy(retryAfterMs, queueDepth, id);
    else peer.refuse(ErrorCode[code], message, { refId: id });
  }

  #receipt(peer: RelayPeer, { id, to = "" }: Send, state: ReceiptState): void {
    if (peer.wantsReceipts) this.#receipts.write(peer, id, state, to);
  }
}

function refused(code: PostRefusal["code"], message: string): PostRefusal {
  return { state: "refused", code, message };
}
