import type { Logger } from "@daemon-sdk/protocol";
import type { AckPayload, MessageType, RelayEnvelope, SendMeta, SendPayload } from "@daemon-sdk/protocol/relay";
import type { AgentCatalog, AgentSpawner } from "../agents/index.js";
import type { Committer } from "../journal/index.js";
import type { RelayLimits } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import type { Mailboxes, Post } from "./mailboxes/index.js";
import type { Directory, RelayPeer } from "./names/index.js";

/** A SEND that was routed: whom it goes to is settled, nothing is stored yet. */
export interface RoutedSend {
  readonly from: string;
  /** As the SEND said it. */
  readonly to: string;
  readonly payload: SendPayload;
  readonly topic: string | undefined;
  readonly payload_meta: SendMeta | undefined;
  readonly refId: string;
  /** Names of those who get it. */
  readonly recipients: readonly string[];
}

/** Adds posts to a routed SEND (such as copies for shadows); they are stored in the same transaction. */
export type RouteHook = (send: RoutedSend) => readonly Post[];

/** What spawning needs of the daemon (docs/wire/relay.md#spawning). */
export interface SpawningParts {
  /** The one that sessions use. */
  readonly spawner: AgentSpawner;
  readonly agents: AgentCatalog;
  /** Id of this start of the daemon, stored with every process. */
  readonly instanceId: string;
  /** Where spawned programs connect. */
  readonly socketPath: string;
}

/** What every handler of the relay may use. */
export interface RelayServices {
  readonly directory: Directory;
  readonly mailboxes: Mailboxes;
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  /** Wall clock in ms. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Called for each routed SEND, in order; add to it while handlers are made. */
  readonly routeHooks: RouteHook[];
  /**
   * Lets a peer in that has no connection of its own (a stdio worker, which reads its mailbox itself): from now on the
   * directory knows it, and everybody else hears AGENT_READY. As with HELLO, it takes the place of a connection of the same
   * name. Returns how to take it out again.
   */
  admit(peer: RelayPeer): () => void;
  /**
   * Takes an ACK with a `correlationId` from such a peer: the answer to a blocking SEND
   * (docs/wire/relay.md#blocking-sends).
   */
  acknowledge(peer: RelayPeer, payload: AckPayload): void;
  /** What spawning needs; undefined: it is not enabled. */
  readonly spawning?: SpawningParts | undefined;
  /** Called when the relay ends; add to it while handlers are made. */
  readonly onStop: (() => Promise<void> | void)[];
}

/** Handles envelopes of one type. Their payload was checked; a handler that throws closes the connection. */
export type RelayHandler<Type extends MessageType = MessageType> = (
  peer: RelayPeer,
  envelope: RelayEnvelope<Type>,
) => void;

/** Handlers by type: what each module under `handlers/` makes. */
export type RelayHandlers = { readonly [Type in MessageType]?: RelayHandler<Type> };
