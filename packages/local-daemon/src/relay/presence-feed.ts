import { createEnvelope, type PresenceEvent } from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../limits/index.js";
import { tooManyTopics } from "./groups/index.js";
import type { RelayPeer } from "./names/index.js";

/** The topic under which a peer subscribes to the presence of all others; `@presence/<name>` is the presence of one. */
const TOPIC = "@presence";

/** Options of {@link PresenceFeed}. */
export interface PresenceFeedOptions {
  readonly maxFrameBytes: number;
}

/**
 * Sends PRESENCE to the peers that have subscribed to it. The events of a short while share one frame, so that a thousand
 * agents that come at once cost each subscriber a few frames.
 */
export class PresenceFeed {
  readonly #options: PresenceFeedOptions;
  /** Subscribers by topic. */
  readonly #subscribers = new Map<string, Set<RelayPeer>>();
  readonly #topics = new Map<RelayPeer, Set<string>>();
  #events: PresenceEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PresenceFeedOptions) {
    this.#options = options;
  }

  /** Whether a topic is one of presence. */
  static isTopic(topic: string): boolean {
    return topic === TOPIC || topic.startsWith(`${TOPIC}/`);
  }

  /** Returns why the peer can have no more subscriptions; without effect then. They end with the connection. */
  subscribe(peer: RelayPeer, topic: string): string | undefined {
    const topics = this.#topics.get(peer) ?? new Set<string>();
    if (topics.size >= MESSAGING_LIMITS.topicsPerName && !topics.has(topic)) {
      return tooManyTopics(MESSAGING_LIMITS.topicsPerName);
    }
    this.#topics.set(peer, topics.add(topic));
    this.#subscribers.set(topic, (this.#subscribers.get(topic) ?? new Set<RelayPeer>()).add(peer));
    return undefined;
  }

  unsubscribe(peer: RelayPeer, topic: string): void {
    this.#topics.get(peer)?.delete(topic);
    const peers = this.#subscribers.get(topic);
    peers?.delete(peer);
    if (peers?.size === 0) this.#subscribers.delete(topic);
  }

  /** Ends every subscription of a peer whose connection has ended. */
  forget(peer: RelayPeer): void {
    for (const topic of this.#topics.get(peer) ?? []) this.unsubscribe(peer, topic);
    this.#topics.delete(peer);
  }

  /** Whether the peer gets the presence of that name, or of everybody. */
  covers(peer: RelayPeer, name: string): boolean {
    const topics = this.#topics.get(peer);
    return topics !== undefined && (topics.has(TOPIC) || topics.has(topicOf(name)));
  }

  /** Whether the peer gets the presence of everybody. */
  coversAll(peer: RelayPeer): boolean {
    return this.#topics.get(peer)?.has(TOPIC) === true;
  }

  /** Takes an event for the next frames. */
  report(event: PresenceEvent): void {
    if (this.#subscribers.size === 0) return;
    this.#events.push(event);
    this.#timer ??= setTimeout(() => this.#flush(), MESSAGING_LIMITS.presenceMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const events = this.#events;
    this.#events = [];
    this.#timer = undefined;
    const all = this.#subscribers.get(TOPIC) ?? new Set();
    const names = new Set(events.map(({ name }) => name));
    const texts = all.size === 0 ? [] : this.#textsOf(events);
    for (const peer of all) {
      const own = names.has(peer.name) ? this.#textsOf(events.filter(({ name }) => name !== peer.name)) : texts;
      for (const text of own) peer.sendText(text);
    }
    for (const name of names) {
      const peers = this.#subscribers.get(topicOf(name)) ?? [];
      const some = events.filter((event) => event.name === name);
      for (const peer of peers) if (!all.has(peer)) for (const text of this.#textsOf(some)) peer.sendText(text);
    }
  }

  /** As many frames as the events need. */
  #textsOf(events: readonly PresenceEvent[]): string[] {
    const texts: string[] = [];
    let part: PresenceEvent[] = [];
    // An envelope around the events takes less than 256 bytes.
    let room = this.#options.maxFrameBytes - 256;
    const end = () => {
      if (part.length > 0) texts.push(JSON.stringify(createEnvelope("PRESENCE", { events: part })));
      part = [];
      room = this.#options.maxFrameBytes - 256;
    };
    for (const event of events) {
      const bytes = Buffer.byteLength(JSON.stringify(event)) + 1;
      if (bytes > room) end();
      part.push(event);
      room -= bytes;
    }
    end();
    return texts;
  }
}

function topicOf(name: string): string {
  return `${TOPIC}/${name}`;
}
