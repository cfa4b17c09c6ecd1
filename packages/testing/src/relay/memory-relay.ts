import { abortReason, ConnectionError, LIMITS } from "@daemon-sdk/protocol";
import {
  bodyText,
  createEnvelope,
  type Envelope,
  type HelloPayload,
  isEnvelopeOf,
  type JsonBody,
  type RelayEnvelope,
  type SendPayload,
} from "@daemon-sdk/protocol/relay";
import { unmet } from "../fake/index.js";
import { MemoryByteLink } from "./memory-byte-link.js";
import { MemoryMailbox, type MemoryMessage } from "./memory-mailbox.js";
import { MemoryRelayPeer } from "./memory-relay-peer.js";

/** A SEND that the relay accepted. */
export interface RelayedMessage extends Pick<SendPayload, "kind" | "body" | "data" | "thread"> {
  readonly from: string;
  readonly to: string;
}

/**
 * A relay daemon in memory, for tests of agents that exchange messages: HELLO and WELCOME, SEND, DELIVER and ACK, blocking
 * sends, receipts, and mailboxes of absent names (docs/protocol.md §14).
 *
 * It has no channels, no shadows, no spawning and no queries, and starts no timer. Unacknowledged messages are redelivered
 * when their reader reconnects, or when a test calls {@link redeliver}.
 *
 * ```ts
 * const relay = new MemoryRelay();
 * const scout = new RelayClient({ agentName: "Scout", dial: relay.dial });
 * ```
 */
export class MemoryRelay {
  /** All sent messages, in order. */
  readonly sent: RelayedMessage[] = [];
  readonly #mailboxes = new Map<string, MemoryMailbox>();
  readonly #peers = new Set<MemoryRelayPeer>();
  #isListening = true;

  /** Opens a link. Pass it to `RelayClient` as `dial`. */
  readonly dial = async ({ signal }: { readonly signal: AbortSignal }): Promise<{ link: MemoryByteLink }> => {
    if (signal.aborted) throw abortReason(signal);
    if (!this.#isListening) {
      throw new ConnectionError("CONNECTION_FAILED", "The memory relay does not listen. Call start() first.");
    }
    const peer = new MemoryRelayPeer((envelope) => this.#receive(peer, envelope));
    const link = new MemoryByteLink({
      onBytes: (chunk) => peer.parser.push(chunk),
      onEnd: () => this.#peers.delete(peer),
    });
    peer.link = link;
    this.#peers.add(peer);
    return { link };
  };

  /** Connected names. */
  get connected(): string[] {
    return [...this.#peers].flatMap(({ name }) => name ?? []);
  }

  /** Sends a message from the name `from`. It waits in the mailbox while the recipient is absent. */
  send(from: string, to: string, body: JsonBody, more: Omit<Partial<SendPayload>, "body"> = {}): void {
    this.#deliver(this.#mailbox(to), { from, payload: { kind: "message", ...more, body } });
  }

  /** Unacknowledged messages of a name. */
  waiting(name: string): readonly RelayEnvelope<"DELIVER">[] {
    return this.#mailboxes.get(name)?.waiting ?? [];
  }

  /** Redelivers unacknowledged messages under the same ids. */
  redeliver(name?: string): void {
    for (const peer of this.#peers) {
      if (peer.mailbox && (name === undefined || peer.name === name)) this.#catchUp(peer, peer.mailbox);
    }
  }

  /** Breaks the connections of a name, or all. Messages are kept. */
  cut(name?: string): void {
    const error = new ConnectionError("CONNECTION_LOST", "The memory relay cut the link.");
    for (const peer of [...this.#peers]) if (name === undefined || peer.name === name) peer.link?.over(error);
  }

  /** Breaks every connection and refuses new ones until {@link start}. */
  stop(): void {
    this.#isListening = false;
    this.cut();
  }

  start(): void {
    this.#isListening = true;
  }

  /** The first message from `from` to `to`. @throws ProtocolError that lists the sent messages */
  expectMessage(from: string, to: string, body?: string | RegExp): RelayedMessage {
    const fits = (text: string) => (body instanceof RegExp ? body.test(text) : body === undefined || body === text);
    const found = this.sent.find(
      (message) => message.from === from && message.to === to && fits(bodyText(message.body)),
    );
    if (found) return found;
    const came = this.sent.map((message) => `${message.from} to ${message.to}: ${JSON.stringify(message.body)}`);
    return unmet(
      `a message from ${from} to ${to}${body === undefined ? "" : ` with ${String(body)}`}`,
      "Messages",
      came,
    );
  }

  #receive(peer: MemoryRelayPeer, envelope: Envelope): void {
    if (isEnvelopeOf(envelope, "HELLO")) this.#welcome(peer, envelope.payload);
    else if (isEnvelopeOf(envelope, "SEND")) this.#relay(peer, envelope);
    else if (isEnvelopeOf(envelope, "ACK")) this.#acknowledge(peer, envelope);
    else if (envelope.type === "PING") peer.write(createEnvelope("PONG", { nonce: String(envelope.payload.nonce) }));
    else if (envelope.type === "BYE") peer.link?.over();
  }

  #welcome(peer: MemoryRelayPeer, hello: HelloPayload): void {
    const { agent: name, entityType = "agent" } = hello;
    if (entityType === "agent") this.#evict(name);
    const mailbox = this.#mailbox(name);
    const token = hello.session?.resume_token;
    if (token !== undefined && token !== mailbox.resumeToken) {
      peer.refuse("RESUME_TOO_OLD", "That session is not known here. Begin a new one.", false);
    }
    peer.join(mailbox, hello.capabilities?.receipts === true);
    const offers = { receipts: true, batches: true };
    const server = { max_frame_bytes: LIMITS.relayFrameBytes, heartbeat_ms: NO_HEARTBEAT_MS, ...offers };
    const { sessionId: session_id, resumeToken: resume_token } = mailbox;
    peer.write(createEnvelope("WELCOME", { session_id, resume_token, server }));
    this.#catchUp(peer, mailbox);
  }

  /** Closes the earlier connection of a name: one name has one agent connection (docs/protocol.md §14). */
  #evict(name: string): void {
    for (const other of [...this.#peers]) {
      if (other.name !== name) continue;
      other.refuse("DUPLICATE_CONNECTION", `Another connection has the name ${name} now.`, true);
      other.link?.end();
    }
  }

  #relay(peer: MemoryRelayPeer, envelope: RelayEnvelope<"SEND">): void {
    const { name: from = "" } = peer;
    const { id, to = "", payload, payload_meta, topic } = envelope;
    this.sent.push({ ...payload, from, to });
    const mailboxes = this.#addressed(to, from);
    if (mailboxes.length === 0) {
      peer.refuse("NOT_FOUND", `Nobody of the name ${to} is known here.`, false, id);
      peer.receipt(id, "refused", to);
      return;
    }
    const message = {
      from,
      payload,
      ...(payload_meta ? { payload_meta } : {}),
      ...(topic === undefined ? {} : { topic }),
    };
    for (const mailbox of mailboxes) {
      this.#deliver(mailbox, mailbox.name === to ? message : { ...message, originalTo: to });
    }
    const isThere = mailboxes.every((mailbox) => this.connected.includes(mailbox.name));
    peer.receipt(id, isThere ? "delivered" : "queued", to);
  }

  #addressed(to: string, from: string): MemoryMailbox[] {
    if (to === "*") return [...this.#mailboxes.values()].filter(({ name }) => name !== from);
    const mailbox = this.#mailboxes.get(to);
    return mailbox ? [mailbox] : [];
  }

  #deliver(mailbox: MemoryMailbox, message: MemoryMessage): void {
    const envelope = mailbox.add(message);
    for (const peer of this.#peers) if (peer.mailbox === mailbox) peer.write(envelope);
  }

  /** Handles an ACK: ends the delivery, and forwards the ACK of a blocking SEND to the sender. */
  #acknowledge(peer: MemoryRelayPeer, { payload }: RelayEnvelope<"ACK">): void {
    const { correlationId, also = [] } = payload;
    const { ack_id: id = peer.mailbox?.idOfAwaited(correlationId) } = payload;
    const delivered = id === undefined ? undefined : peer.mailbox?.acknowledge(id);
    for (const more of also) peer.mailbox?.acknowledge(more);
    if (!delivered || correlationId === undefined || delivered.payload_meta?.sync?.correlationId !== correlationId)
      return;
    const answer = createEnvelope("ACK", payload, { from: peer.name ?? "", to: delivered.from });
    for (const sender of this.#peers) if (sender.name === delivered.from) sender.write(answer);
  }

  #catchUp(peer: MemoryRelayPeer, mailbox: MemoryMailbox): void {
    for (const envelope of mailbox.waiting) peer.write(envelope);
  }

  #mailbox(name: string): MemoryMailbox {
    const known = this.#mailboxes.get(name);
    if (known) return known;
    const mailbox = new MemoryMailbox(name);
    this.#mailboxes.set(name, mailbox);
    return mailbox;
  }
}

/** The longest timer. The relay sends no PING, so clients must not treat its silence as a lost link. */
const NO_HEARTBEAT_MS = Math.floor((2 ** 31 - 1) / LIMITS.relayMissedBeats);
