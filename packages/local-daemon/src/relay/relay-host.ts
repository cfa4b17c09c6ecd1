import type { Logger } from "@daemon-sdk/protocol";
import type { Committer } from "../journal/index.js";
import type { RelayLimits } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import { DaemonExchange } from "./exchange/index.js";
import { Channels, ShadowTable, Topics } from "./groups/index.js";
import { handlerGroups, recipientsHere } from "./handlers/index.js";
import { DurableMailboxes, type OutboxFigures } from "./mailboxes/index.js";
import { type AgentRecord, Directory, NameRegistry, NamesElsewhere } from "./names/index.js";
import { Presence } from "./presence.js";
import { PresenceFeed } from "./presence-feed.js";
import { type HandlerGroup, Router } from "./router.js";
import { type ConnectedPeer, Handshake, type RelayGate } from "./wire/index.js";
import type { SpawningParts } from "./workers/index.js";

/** Options of {@link RelayHost}. */
export interface RelayHostOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  readonly now: () => number;
  readonly logger: Logger;
  readonly access: "owned" | "open";
  /** Undefined: spawning is not enabled. */
  readonly spawning?: SpawningParts | undefined;
}

/** The relay without its connections: makes its parts, loads them, and ends them with the daemon. */
export class RelayHost implements RelayGate {
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  readonly handshake: Handshake;
  readonly router: Router;
  /** What of the relay spans a fleet. */
  readonly exchange: DaemonExchange;
  readonly #committer: Committer;
  readonly #registry: NameRegistry;
  readonly #mailboxes: DurableMailboxes;
  readonly #directory: Directory;
  readonly #feed: PresenceFeed;
  readonly #topics: Topics;
  readonly #channels: Channels;
  readonly #groups: readonly HandlerGroup[];
  readonly #presence: Presence;

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  static async start(options: RelayHostOptions): Promise<RelayHost> {
    const host = new RelayHost(options);
    await host.#registry.load();
    await host.#topics.load();
    await host.#channels.load();
    await host.#mailboxes.load();
    await host.exchange.load();
    return host;
  }

  private constructor(options: RelayHostOptions) {
    this.maxFrameBytes = options.limits.relayFrameBytes;
    this.logger = options.logger;
    this.#committer = options.committer;
    const elsewhere = new NamesElsewhere();
    const registry = this.#makeRegistry(options);
    const directory = new Directory({ ...options, registry, elsewhere });
    const mailboxes = new DurableMailboxes({
      ...options,
      addressOf: (name) => directory.addressOf(name),
      onOutbox: (machineId) => this.exchange.hasMailFor(machineId),
    });
    const topics = new Topics(options);
    const feed = new PresenceFeed({ maxFrameBytes: this.maxFrameBytes });
    this.exchange = new DaemonExchange({
      ...{ ...options, mailboxes, registry, elsewhere },
      recipientsOf: (post) => recipientsHere({ directory, topics }, post).filter((name) => name !== post.from),
    });
    elsewhere.onPresence = (name, isConnected, at) => {
      if (directory.isHere(name)) return;
      feed.report(isConnected ? { type: "ready", name, connectedAt: at } : { type: "left", name, reason: "lost" });
    };
    const channels = new Channels({ ...options, directory, mailboxes, feed, exchange: this.exchange });
    this.#groups = handlerGroups({
      ...options,
      ...{ directory, elsewhere, exchange: this.exchange, mailboxes, topics, channels, feed },
      shadows: new ShadowTable(),
      admit: (peer) => this.#presence.admit(peer),
    });
    this.#presence = new Presence({ ...options, registry, directory, feed, groups: this.#groups });
    this.handshake = new Handshake({ ...options, registry, directory, mailboxes });
    this.router = new Router(this.#groups);
    this.#registry = registry;
    this.#directory = directory;
    this.#mailboxes = mailboxes;
    this.#feed = feed;
    this.#topics = topics;
    this.#channels = channels;
  }

  /** What waits for each machine of the fleet. */
  outboxFigures(): OutboxFigures[] {
    return this.#mailboxes.outboxFigures();
  }

  #makeRegistry(options: RelayHostOptions): NameRegistry {
    return new NameRegistry({
      ...options,
      onChanged: (name) => this.exchange.onNameChanged?.(name),
      kept: () => this.#mailboxes.withMail(),
      onForgotten: (address, record) => this.#forgotten(address, record),
    });
  }

  /** A name is not known any more, because there were too many. No mail waits for it. */
  #forgotten(address: string, { name }: AgentRecord): void {
    this.#mailboxes.remove(address).catch((error: unknown) => {
      this.logger.error({ address, error: String(error) }, "the mailbox of a forgotten name was not dropped");
    });
    if (!this.#directory.isHere(name)) this.#topics.drop(name);
  }

  joined(peer: ConnectedPeer): void {
    const { name, entityType, sessionId } = peer;
    this.#presence.join(peer);
    peer.cursor = this.#mailboxes.attach(name, peer, { entityType, sessionId });
  }

  left(peer: ConnectedPeer, isPolite: boolean): void {
    peer.cursor?.close();
    this.#presence.leave(peer, { isPolite });
  }

  earlyLeft(peer: ConnectedPeer): void {
    for (const group of this.#groups) group.onLeft?.(peer);
  }

  /** Ends workers and timers, and stores what is left. The connections are to be closed before. */
  async stop(): Promise<void> {
    for (const group of this.#groups) await group.onStop?.();
    this.#feed.stop();
    this.exchange.stop();
    this.#mailboxes.stop();
    await this.#committer.drain();
  }
}
