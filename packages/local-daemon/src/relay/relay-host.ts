import type { Logger } from "@daemon-sdk/protocol";
import { type AckPayload, createEnvelope, type Envelope, ErrorCode, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { Committer } from "../journal/index.js";
import type { RelayLimits } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import { BlockingSends } from "./blocking-sends.js";
import { Topics } from "./groups/index.js";
import { relayHandlers } from "./handlers/index.js";
import { addressFor, DurableMailboxes } from "./mailboxes/index.js";
import { NameRegistry, PeerDirectory, type RelayPeer, recordOf } from "./names/index.js";
import type { RelayCore } from "./relay-core.js";
import type { SpawningParts } from "./relay-services.js";
import { Router } from "./router.js";
import {
  type Admission,
  ConnectedPeer,
  greet,
  RateLimit,
  type RelayConnection,
  RelayDialect,
  type RelayGate,
  type RelayVoice,
} from "./wire/index.js";

/** How often messages past their age are looked for. */
const EXPIRY_MS = 60 * 60_000;

/** Options of {@link RelayHost}. */
export interface RelayHostOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  readonly now: () => number;
  readonly logger: Logger;
  /** What spawning needs; undefined: it is not enabled. */
  readonly spawning?: SpawningParts | undefined;
}

/** Everything of the relay but its doors: who is connected, what waits for whom, and what is done with an envelope. */
export class RelayHost implements RelayGate {
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  readonly #core: RelayCore;
  readonly #registry: NameRegistry;
  readonly #router: Router;
  readonly #expiry: NodeJS.Timeout;

  /** Reads what an earlier daemon left. Rejects when the store fails. */
  static async start(options: RelayHostOptions): Promise<RelayHost> {
    const host = new RelayHost(options);
    await host.#registry.load();
    await host.#core.topics.load();
    await host.#core.mailboxes.load();
    return host;
  }

  private constructor(options: RelayHostOptions) {
    const { limits, now, logger } = options;
    this.maxFrameBytes = limits.relayFrameBytes;
    this.logger = logger;
    this.#registry = new NameRegistry(options);
    const directory: PeerDirectory = new PeerDirectory({
      registry: this.#registry,
      mailboxes: () => mailboxes,
      limits,
      now,
    });
    const mailboxes: DurableMailboxes = new DurableMailboxes({
      ...options,
      addressOf: (name) => directory.addressOf(name),
    });
    this.#core = {
      ...options,
      directory,
      mailboxes,
      topics: new Topics(options),
      blocking: new BlockingSends(),
      rate: new RateLimit({ perSecond: limits.relaySendsPerSecond, burst: limits.relaySendBurst, now }),
      routeHooks: [],
      onStop: [],
      admit: (peer) => this.#admit(peer),
      acknowledge: (peer, payload) => this.#core.blocking.answer(peer, payload),
    };
    this.#router = new Router(relayHandlers(this.#core));
    this.#expiry = setInterval(() => void this.#expire(), EXPIRY_MS).unref();
  }

  /** For those who speak on the relay without a connection. */
  get core(): RelayCore {
    return this.#core;
  }

  /** The dialect of one connection. */
  dialect(connection: RelayConnection, admission: Admission): RelayDialect {
    return new RelayDialect(connection, this, admission);
  }

  welcome(voice: RelayVoice, envelope: Envelope, admission: Admission): ConnectedPeer | undefined {
    const { limits, now, mailboxes, logger } = this.#core;
    const greeting = greet(envelope, { registry: this.#registry, mailboxes, admission, now: now() });
    if ("code" in greeting) {
      voice.refuse(greeting.code, greeting.message, { fatal: true, refId: envelope.id });
      return undefined;
    }
    const { hello, entityType, sessionId, token, staleness } = greeting;
    if (staleness !== undefined) voice.refuse(ErrorCode.RESUME_TOO_OLD, staleness, { refId: envelope.id });
    const extensions = { receipts: true, batches: true };
    const server = {
      max_frame_bytes: limits.relayFrameBytes,
      heartbeat_ms: limits.relayHeartbeatMs,
      ...extensions,
    };
    voice.send(createEnvelope("WELCOME", { session_id: sessionId, resume_token: token, server }));
    const { maxFrameBytes } = this;
    const { connection } = voice;
    const processingMs = limits.relayProcessingMs;
    return new ConnectedPeer({ connection, maxFrameBytes, logger, hello, entityType, sessionId, now, processingMs });
  }

  joined(peer: ConnectedPeer): void {
    const { directory, mailboxes } = this.#core;
    const { name, entityType, sessionId } = peer;
    this.#takePlace(peer);
    peer.cursor = mailboxes.attach(name, peer, { entityType, sessionId });
    directory.announce(peer);
    this.#tellOthers(peer);
  }

  received(peer: ConnectedPeer, envelope: Envelope): void {
    if (envelope.type === "SEND") peer.spoke();
    else if (isEnvelopeOf(envelope, "ACK")) acknowledge(peer, envelope.payload);
    this.#router.route(peer, envelope);
  }

  left(peer: ConnectedPeer, isPolite: boolean): void {
    peer.cursor?.close();
    this.#core.blocking.forget(peer);
    this.#core.directory.remove(peer, { isPolite });
  }

  /** Ends what runs by itself. Connections are closed by whoever accepted them, before. */
  async stop(): Promise<void> {
    clearInterval(this.#expiry);
    for (const stop of this.#core.onStop) await stop();
    this.#core.blocking.stop();
    this.#core.mailboxes.stop();
    await this.#core.committer.drain();
  }

  /** Lets a peer in that has no connection; see `RelayServices`. */
  #admit(peer: RelayPeer): () => void {
    const { directory, now } = this.#core;
    const { name, entityType, hello } = peer;
    this.#registry.arrived(addressFor(name, entityType), recordOf(hello, entityType, now()), undefined);
    this.#takePlace(peer);
    directory.announce(peer);
    this.#tellOthers(peer);
    return () => {
      this.#core.blocking.forget(peer);
      directory.remove(peer, { isPolite: true });
    };
  }

  /** The newcomer wins; the old one hears why, so that it does not come back (docs/wire/relay.md#same-name-twice). */
  #takePlace(peer: RelayPeer): void {
    const old = this.#core.directory.add(peer);
    if (old instanceof ConnectedPeer) old.cursor?.close();
    const message = `Another agent with name "${peer.name}" connected. This connection will be closed.`;
    old?.refuse(ErrorCode.DUPLICATE_CONNECTION, message, { fatal: true });
  }

  /** AGENT_READY to everybody else (docs/wire/relay.md#control-messages). */
  #tellOthers(peer: RelayPeer): void {
    const { name, connectedAt, hello } = peer;
    const { cli, task } = hello;
    const payload = {
      name,
      connectedAt,
      ...(cli === undefined ? {} : { cli }),
      ...(task === undefined ? {} : { task }),
    };
    const text = JSON.stringify(createEnvelope("AGENT_READY", payload));
    const { directory } = this.#core;
    for (const other of [...directory.agents(), ...directory.users()]) if (other !== peer) other.sendText(text);
  }

  async #expire(): Promise<void> {
    try {
      await this.#core.mailboxes.expire();
    } catch (error) {
      this.logger.error({ error: String(error) }, "messages past their age could not be dropped");
    }
  }
}

function acknowledge({ cursor }: ConnectedPeer, { ack_id, also = [] }: AckPayload): void {
  cursor?.ack(ack_id);
  for (const id of also) cursor?.ack(id);
}
