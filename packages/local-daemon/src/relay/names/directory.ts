import type { RelayPeer } from "./relay-peer.js";

/** What is remembered of a name after its connection has ended. Times in Unix milliseconds. */
export interface AgentRecord {
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly cli?: string | undefined;
  readonly program?: string | undefined;
  readonly model?: string | undefined;
  readonly task?: string | undefined;
  readonly workingDirectory?: string | undefined;
  readonly team?: string | undefined;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** How the last connection of a name ended. */
export interface Departure {
  /** It said BYE: what it subscribed to ends with it. Otherwise it may come back, and finds everything as it was. */
  readonly isPolite: boolean;
}

/**
 * Who is connected, and who is known.
 *
 * Names match exactly (docs/wire/relay.md#direct-messages). Agents have one connection each, users as many as they
 * like; a name may be both, and then stands for the user.
 */
export interface Directory {
  /** Connected agents, in the order in which they came. */
  agents(): RelayPeer[];
  /** Connections of users, in the order in which they came. */
  users(): RelayPeer[];
  /** The connections a name stands for: the user's, else the agent's; empty when it is away. */
  find(name: string): RelayPeer[];
  /** Whether messages for the name have a mailbox: it is connected, known, being started, or a user that left just now. */
  isReachable(name: string): boolean;
  /** Messages for the name are kept from now on, because it will connect; at the latest after `forMs` that ends. */
  markSpawning(name: string, forMs: number): void;
  clearSpawning(name: string): void;
  /** Every agent and user that ever connected and was not forgotten, by name. */
  known(): Promise<AgentRecord[]>;
  /** Forgets a name that is away, and with `removeMessages` (default false) its mailbox. False when nobody knew it. */
  forget(name: string, options?: { removeMessages?: boolean }): Promise<boolean>;
  /** Calls when a connection has become active, after its WELCOME was written. Returns how to stop it. */
  onActive(listener: (peer: RelayPeer) => void): () => void;
  /** Calls when the *last* connection of a name is gone; not when a newcomer of the same name took its place. */
  onGone(listener: (peer: RelayPeer, departure: Departure) => void): () => void;
}
