import type { Logger } from "@daemon-sdk/protocol";
import type { Batch, CommitSource, Committer } from "../../journal/index.js";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";

const SCOPE = "topics";

/** Options of {@link Topics}. */
export interface TopicsOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Pick<Committer, "enlist">;
  readonly logger: Logger;
}

/**
 * The subscriptions of names to topics (docs/wire/relay.md#broadcasts-and-topics); topics match exactly. A subscription
 * survives a lost connection and the daemon, because a client of the original does not subscribe again. It ends with
 * UNSUBSCRIBE and with BYE.
 */
export class Topics implements CommitSource {
  readonly #options: TopicsOptions;
  readonly #byName = new Map<string, Set<string>>();
  readonly #byTopic = new Map<string, Set<string>>();
  #subscriptions = 0;
  /** Names whose subscriptions are to be stored. */
  #changed = new Set<string>();

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [name, body] of await this.#options.store.relayFacts(SCOPE)) {
      for (const topic of JSON.parse(body) as string[]) this.#link(name, topic);
    }
  }

  subscribers(topic: string): string[] {
    return [...(this.#byTopic.get(topic) ?? [])];
  }

  /** Returns why the name can subscribe to no more topics; without effect then. */
  subscribe(name: string, topic: string): string | undefined {
    const { topicsPerName, topicSubscriptions } = MESSAGING_LIMITS;
    const topics = this.#byName.get(name);
    if (topics?.has(topic) === true) return undefined;
    if (topics !== undefined && topics.size >= topicsPerName) return tooManyTopics(topicsPerName);
    if (this.#subscriptions >= topicSubscriptions) {
      return `All names have ${topicSubscriptions} topics together, and may have no more (topicSubscriptions). Unsubscribe from some.`;
    }
    this.#link(name, topic);
    this.#store(name);
    return undefined;
  }

  unsubscribe(name: string, topic: string): void {
    if (this.#byName.get(name)?.has(topic) !== true) return;
    this.#unlink(name, topic);
    this.#store(name);
  }

  /** Ends every subscription of a name. */
  drop(name: string): void {
    const topics = this.#byName.get(name);
    if (topics === undefined) return;
    for (const topic of [...topics]) this.#unlink(name, topic);
    this.#store(name);
  }

  takeBatch(): Batch {
    const names = [...this.#changed];
    this.#changed = new Set();
    const writes = names.map((name) => {
      const topics = this.#byName.get(name);
      const body = topics === undefined ? undefined : JSON.stringify([...topics]);
      return { kind: "relayFact", scope: SCOPE, name, body } as const;
    });
    const settle = (error: Error | undefined) => {
      if (error !== undefined)
        this.#options.logger.error({ names, error: error.message }, "subscriptions were not stored");
    };
    return { writes, settle };
  }

  #link(name: string, topic: string): void {
    this.#subscriptions += 1;
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(topic));
    this.#byTopic.set(topic, (this.#byTopic.get(topic) ?? new Set()).add(name));
  }

  #unlink(name: string, topic: string): void {
    this.#subscriptions -= 1;
    for (const [map, key, value] of [
      [this.#byName, name, topic],
      [this.#byTopic, topic, name],
    ] as const) {
      const values = map.get(key);
      values?.delete(value);
      if (values?.size === 0) map.delete(key);
    }
  }

  /** The topics of a name are stored as one: once for all that change in a tick, as each time costs as much as all topics. */
  #store(name: string): void {
    this.#changed.add(name);
    this.#options.committer.enlist(this);
  }
}

/** Why a name cannot subscribe to more than so many topics. */
export function tooManyTopics(most: number): string {
  return `A name has at most ${most} topics. Unsubscribe from some, or use one for all.`;
}
