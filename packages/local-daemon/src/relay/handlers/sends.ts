import { ErrorCode, type ReceiptState, type RelayEnvelope } from "@daemon-sdk/protocol/relay";
import type { Post, PostOutcome, PostRefusal } from "../mailboxes/index.js";
import type { RelayPeer } from "../names/index.js";
import type { RelayCore } from "../relay-core.js";
import type { RelayHandlers, RoutedSend } from "../relay-services.js";
import { ReceiptWriter } from "../wire/index.js";

type Send = RelayEnvelope<"SEND">;

/** Addresses of the daemon itself that clients of the original may write to; nobody is behind them here. */
const DAEMON_ADDRESSES = new Set(["_router", "_consensus", "_system"]);

/** When a sender that found too many blocking SENDs should try again. */
const BLOCKING_RETRY_MS = 1_000;

/**
 * SEND and ACK: direct, to everybody, to topics, to users, and the ones that wait for an answer
 * (docs/wire/relay.md#routing).
 */
export function sendHandlers(core: RelayCore): RelayHandlers {
  const sends = new Sends(core);
  core.directory.onGone(({ name }) => core.rate.forget(name));
  return {
    SEND: (peer, envelope) => sends.send(peer, envelope),
    ACK: (peer, { payload }) => core.blocking.answer(peer, payload),
  };
}

class Sends {
  readonly #core: RelayCore;
  readonly #receipts = new ReceiptWriter();

  constructor(core: RelayCore) {
    this.#core = core;
  }

  send(peer: RelayPeer, envelope: Send): void {
    const { rate, mailboxes } = this.#core;
    const retryAfterMs = rate.take(peer.name);
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
    const posts = this.#postsOf(peer, envelope, recipients);
    if (posts.length === 0) this.#settled(peer, envelope, []);
    // Copies for shadows come after what the author asked for, and are not the author's to hear about.
    else mailboxes.submit(posts, (outcomes) => this.#settled(peer, envelope, outcomes.slice(0, recipients.length)));
  }

  /** Names of those who get it, or why nobody does. */
  #recipientsOf(peer: RelayPeer, { id, to, topic }: Send): string[] | PostRefusal {
    const { directory, topics } = this.#core;
    const others = (names: readonly string[]) => [...new Set(names)].filter((name) => name !== peer.name);
    if (to === undefined || to === "") {
      return refused("BAD_REQUEST", `Message ${id} has no recipient: set \`to\` to a name, "*" or "@users".`);
    }
    if (to === "*" && topic !== undefined) return others(topics.subscribers(topic));
    if (to === "*") return others([...directory.agents(), ...directory.users()].map(({ name }) => name));
    if (to === "@users") return others(directory.users().map(({ name }) => name));
    if (!DAEMON_ADDRESSES.has(to) && directory.isReachable(to)) return [to];
    return refused("NOT_FOUND", `Nobody is known as ${JSON.stringify(to)}: message ${id} was not delivered.`);
  }

  /** Starts to wait for an answer, when the author does. */
  #openBlocking(peer: RelayPeer, { id, payload_meta: meta }: Send, recipients: string[]): PostRefusal | undefined {
    const { blocking, limits } = this.#core;
    const sync = meta?.sync;
    if (sync === undefined || !sync.blocking) return undefined;
    const { correlationId, timeoutMs = limits.relayAckTimeoutMs } = sync;
    if (recipients.length === 0) return refused("NOT_FOUND", `Nobody gets message ${id}, so nobody can answer it.`);
    if (blocking.has(correlationId)) return refused("INTERNAL", `Duplicate correlationId: ${correlationId}`);
    if (blocking.size >= limits.relayBlockingSends) {
      const busy = { retryAfterMs: BLOCKING_RETRY_MS, queueDepth: blocking.size };
      return { ...refused("BUSY", `Too many SENDs wait for an ACK: message ${id} was not taken.`), ...busy };
    }
    blocking.open({ correlationId, sender: peer, refId: id, addressees: recipients, timeoutMs });
    return undefined;
  }

  #postsOf(peer: RelayPeer, envelope: Send, recipients: readonly string[]): Post[] {
    const { id: refId, to = "", topic, payload, payload_meta } = envelope;
    const { name: from } = peer;
    const isIndirect = to === "*" || to === "@users";
    const originalTo = isIndirect ? to : undefined;
    const posts: Post[] = recipients.map((name) => ({
      from,
      to: name,
      payload,
      topic,
      payload_meta,
      originalTo,
      refId,
    }));
    const { routeHooks } = this.#core;
    if (routeHooks.length === 0) return posts;
    const routed: RoutedSend = { from, to, payload, topic, payload_meta, refId, recipients };
    for (const hook of routeHooks) posts.push(...hook(routed));
    return posts;
  }

  #settled(peer: RelayPeer, envelope: Send, outcomes: readonly PostOutcome[]): void {
    const refusal = outcomes.find((outcome): outcome is PostRefusal => outcome.state === "refused");
    if (refusal !== undefined) this.#tell(peer, envelope, refusal);
    const isRefused = refusal !== undefined && outcomes.every(({ state }) => state === "refused");
    const correlationId = envelope.payload_meta?.sync?.correlationId;
    if (isRefused && correlationId !== undefined) this.#core.blocking.cancel(correlationId);
    const isDelivered = outcomes.every(({ state }) => state === "delivered");
    this.#receipt(peer, envelope, isRefused ? "refused" : isDelivered ? "delivered" : "queued");
  }

  #refuse(peer: RelayPeer, envelope: Send, refusal: PostRefusal): void {
    this.#tell(peer, envelope, refusal);
    this.#receipt(peer, envelope, "refused");
  }

  #tell(
    peer: RelayPeer,
    { id }: Send,
    { code, message, retryAfterMs = BLOCKING_RETRY_MS, queueDepth = 0 }: PostRefusal,
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
