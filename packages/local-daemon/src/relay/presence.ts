import { createEnvelope, ErrorCode } from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../limits/index.js";
import { addressFor, type Directory, type NameRegistry, type RelayPeer, recordOf } from "./names/index.js";
import type { PresenceFeed } from "./presence-feed.js";
import type { Departure, HandlerGroup } from "./router.js";

/** Options of {@link Presence}. */
export interface PresenceOptions {
  readonly registry: NameRegistry;
  readonly directory: Directory;
  readonly feed: PresenceFeed;
  /** Notified of peers that come and go. */
  readonly groups: readonly HandlerGroup[];
  readonly now: () => number;
}

/** Adds active peers to the directory and removes them, and notifies others of that. */
export class Presence {
  readonly #options: PresenceOptions;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** A peer has become active. It replaces an agent of the same name, and others are notified. */
  join(peer: RelayPeer): void {
    const { directory, groups } = this.#options;
    const old = directory.add(peer);
    // Fatal, so that the old one does not connect again (docs/wire/relay.md#same-name-twice).
    const message = `Another agent with name "${peer.name}" connected. This connection will be closed.`;
    old?.refuse(ErrorCode.DUPLICATE_CONNECTION, message, { fatal: true });
    for (const group of groups) group.onActive?.(peer);
    this.#announce(peer);
  }

  /**
   * As {@link join}, for a peer that has said no HELLO because it has no connection: a stdio agent, which reads its mailbox
   * itself. Returns how to remove it.
   */
  admit(peer: RelayPeer): () => void {
    const { registry, now } = this.#options;
    const { name, entityType, hello } = peer;
    const record = recordOf(hello, entityType, now());
    registry.arrived(addressFor(name, entityType), { record, evidence: { isPerson: false }, isSpawned: true });
    this.join(peer);
    return () => this.leave(peer, { isPolite: true });
  }

  /** A peer's connection ends. */
  leave(peer: RelayPeer, departure: Departure): void {
    const { directory, groups } = this.#options;
    for (const group of groups) group.onLeft?.(peer);
    this.#options.feed.forget(peer);
    if (!directory.remove(peer, departure.isPolite)) return;
    this.#options.feed.report({ type: "left", name: peer.name, reason: departure.isPolite ? "bye" : "lost" });
    for (const group of groups) group.onGone?.(peer, departure);
  }

  /** PRESENCE to its subscribers; to everybody else AGENT_READY, while there are few (docs/wire/relay.md#control-messages). */
  #announce(peer: RelayPeer): void {
    const { name, connectedAt, hello } = peer;
    const { cli, task } = hello;
    const payload = {
      name,
      connectedAt,
      ...(cli === undefined ? {} : { cli }),
      ...(task === undefined ? {} : { task }),
    };
    const { directory, feed } = this.#options;
    feed.report({ type: "ready", ...payload });
    if (directory.size > MESSAGING_LIMITS.presencePeers) return;
    const text = JSON.stringify(createEnvelope("AGENT_READY", payload));
    for (const other of [...directory.agents(), ...directory.users()]) {
      if (other !== peer && !feed.covers(other, name)) other.sendText(text);
    }
  }
}
