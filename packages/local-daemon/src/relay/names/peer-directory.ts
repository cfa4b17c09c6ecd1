import type { RelayLimits } from "../../limits/index.js";
import { addressFor, type DurableMailboxes } from "../mailboxes/index.js";
import type { AgentRecord, Departure, Directory } from "./directory.js";
import type { NameRegistry } from "./name-registry.js";
import type { RelayPeer } from "./relay-peer.js";

/** Options of {@link PeerDirectory}. */
export interface PeerDirectoryOptions {
  readonly registry: NameRegistry;
  readonly mailboxes: () => DurableMailboxes;
  readonly limits: RelayLimits;
  readonly now: () => number;
}

type GoneListener = (peer: RelayPeer, departure: Departure) => void;

/** The {@link Directory} over the connections of this daemon and the names it remembers. */
export class PeerDirectory implements Directory {
  readonly #options: PeerDirectoryOptions;
  readonly #agents = new Map<string, RelayPeer>();
  readonly #users = new Map<string, Set<RelayPeer>>();
  /** Until when a name that is being started is waited for. */
  readonly #spawning = new Map<string, number>();
  readonly #activeListeners = new Set<(peer: RelayPeer) => void>();
  readonly #goneListeners = new Set<GoneListener>();

  constructor(options: PeerDirectoryOptions) {
    this.#options = options;
  }

  agents(): RelayPeer[] {
    return [...this.#agents.values()];
  }

  users(): RelayPeer[] {
    return [...this.#users.values()].flatMap((peers) => [...peers]);
  }

  find(name: string): RelayPeer[] {
    const users = this.#users.get(name);
    if (users !== undefined) return [...users];
    const agent = this.#agents.get(name);
    return agent === undefined ? [] : [agent];
  }

  isReachable(name: string): boolean {
    if (this.#agents.has(name) || this.#users.has(name)) return true;
    const { registry } = this.#options;
    return (
      registry.record(addressFor(name, "agent")) !== undefined || this.#isSpawning(name) || this.#isRecentUser(name)
    );
  }

  /** The mailbox a name stands for. */
  addressOf(name: string): string {
    if (this.#users.has(name)) return addressFor(name, "user");
    const isAgent =
      this.#agents.has(name) || this.#isSpawning(name) || this.#options.registry.record(name) !== undefined;
    return addressFor(name, !isAgent && this.#isRecentUser(name) ? "user" : "agent");
  }

  markSpawning(name: string, forMs: number): void {
    this.#spawning.set(name, this.#options.now() + forMs);
  }

  clearSpawning(name: string): void {
    this.#spawning.delete(name);
  }

  async known(): Promise<AgentRecord[]> {
    return this.#options.registry.records();
  }

  async forget(name: string, options: { removeMessages?: boolean } = {}): Promise<boolean> {
    const { registry, mailboxes } = this.#options;
    let wasKnown = false;
    for (const entityType of ["agent", "user"] as const) {
      const isConnected = entityType === "agent" ? this.#agents.has(name) : this.#users.has(name);
      if (isConnected) continue;
      const address = addressFor(name, entityType);
      wasKnown = (await registry.forget(address)) || wasKnown;
      if (options.removeMessages === true) await mailboxes().remove(address);
    }
    return wasKnown;
  }

  onActive(listener: (peer: RelayPeer) => void): () => void {
    this.#activeListeners.add(listener);
    return () => this.#activeListeners.delete(listener);
  }

  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  /** Puts a newcomer in its place. Returns the agent of the same name that has to go, already without its place. */
  add(peer: RelayPeer): RelayPeer | undefined {
    this.#spawning.delete(peer.name);
    if (peer.entityType === "user") {
      this.#users.set(peer.name, (this.#users.get(peer.name) ?? new Set()).add(peer));
      return undefined;
    }
    const old = this.#agents.get(peer.name);
    this.#agents.delete(peer.name);
    this.#agents.set(peer.name, peer);
    return old;
  }

  /** Tells everybody that a peer is active. */
  announce(peer: RelayPeer): void {
    for (const listener of [...this.#activeListeners]) listener(peer);
  }

  /** A connection is gone. False when another one stands for the name, so that nobody is missed. */
  remove(peer: RelayPeer, departure: Departure): boolean {
    if (peer.entityType === "user") {
      const peers = this.#users.get(peer.name);
      if (peers?.delete(peer) !== true || peers.size > 0) return false;
      this.#users.delete(peer.name);
    } else {
      if (this.#agents.get(peer.name) !== peer) return false;
      this.#agents.delete(peer.name);
    }
    this.#options.registry.left(addressFor(peer.name, peer.entityType));
    for (const listener of [...this.#goneListeners]) listener(peer, departure);
    return true;
  }

  #isSpawning(name: string): boolean {
    return (this.#spawning.get(name) ?? 0) > this.#options.now();
  }

  #isRecentUser(name: string): boolean {
    const { registry, limits, now } = this.#options;
    const record = registry.record(addressFor(name, "user"));
    return record !== undefined && record.lastSeen > now() - limits.relayRecentUserMs;
  }
}
