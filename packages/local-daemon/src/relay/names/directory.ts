import type { RelayLimits } from "../../limits/index.js";
import { addressFor, machineAddress } from "./mailbox-address.js";
import type { AgentRecord, NameRegistry } from "./name-registry.js";
import type { NamesElsewhere } from "./names-elsewhere.js";
import type { RelayPeer } from "./relay-peer.js";

/** Options of {@link Directory}. */
export interface DirectoryOptions {
  readonly registry: NameRegistry;
  /** Names on other machines of the fleet; a name that is known here is never looked for there. */
  readonly elsewhere: Pick<NamesElsewhere, "machineOf">;
  readonly limits: Pick<RelayLimits, "relayRecentUserMs">;
  readonly now: () => number;
}

/** An agent that is being started. */
export interface ExpectedAgent {
  /** Resolves when an agent of that name has become active; never, if none does. */
  readonly arrived: Promise<void>;
  /** Messages for the name are kept on its account no longer. */
  end(): void;
}

/** What was forgotten of a name. */
export interface ForgottenName {
  readonly wasKnown: boolean;
  /** Its mailboxes, which the directory does not drop. */
  readonly addresses: readonly string[];
}

interface Expectation {
  /** The started process shows it in HELLO, when its program knows how to. */
  readonly credential: string | undefined;
  /** Messages for the name are kept until then; Unix milliseconds. */
  keptUntil: number;
  markArrived(): void;
}

/**
 * The peers of each name: who is connected, and who is known.
 *
 * Names match exactly (docs/wire/relay.md#direct-messages). An agent has one connection, a user any number. A name may be
 * both, and then stands for the user.
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #agents = new Map<string, RelayPeer>();
  readonly #users = new Map<string, Set<RelayPeer>>();
  readonly #expected = new Map<string, Expectation>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Connected agents, in the order of their arrival. */
  agents(): RelayPeer[] {
    return [...this.#agents.values()];
  }

  /** Connections of users, in the order of their arrival. */
  users(): RelayPeer[] {
    return [...this.#users.values()].flatMap((peers) => [...peers]);
  }

  /** Names that are connected; one that is an agent and a user counts twice. */
  get size(): number {
    return this.#agents.size + this.#users.size;
  }

  /** The connections that a name stands for: the user's, else the agent's; empty when it is away. */
  find(name: string): RelayPeer[] {
    const users = this.#users.get(name);
    if (users !== undefined) return [...users];
    const agent = this.#agents.get(name);
    return agent === undefined ? [] : [agent];
  }

  /** Whether messages for the name have a mailbox: it is known here, or on another machine of the fleet. */
  isReachable(name: string): boolean {
    return this.isHere(name) || this.#options.elsewhere.machineOf(name) !== undefined;
  }

  /** Whether the name is connected, known, expected, or a user that left just now. */
  isHere(name: string): boolean {
    if (this.#agents.has(name) || this.#users.has(name)) return true;
    const { registry } = this.#options;
    return (
      registry.record(addressFor(name, "agent")) !== undefined || this.#isExpected(name) || this.#isRecentUser(name)
    );
  }

  /** The mailbox that a name stands for; of a name that only another machine knows, the outbox for that machine. */
  addressOf(name: string): string {
    if (this.#users.has(name)) return addressFor(name, "user");
    const machineId = this.isHere(name) ? undefined : this.#options.elsewhere.machineOf(name);
    if (machineId !== undefined) return machineAddress(machineId);
    const isAgent =
      this.#agents.has(name) ||
      this.#isExpected(name) ||
      this.#options.registry.record(addressFor(name, "agent")) !== undefined;
    return addressFor(name, !isAgent && this.#isRecentUser(name) ? "user" : "agent");
  }

  /**
   * An agent of that name is being started: until it is active, for at most `forMs`, messages for the name are kept.
   *
   * @param credential that the started process was given
   */
  expect(name: string, forMs: number, credential?: string): ExpectedAgent {
    let markArrived = () => {};
    const arrived = new Promise<void>((resolve) => {
      markArrived = resolve;
    });
    const expectation: Expectation = { credential, keptUntil: this.#options.now() + forMs, markArrived };
    this.#expected.set(name, expectation);
    const end = () => {
      if (this.#expected.get(name) === expectation) this.#expected.delete(name);
    };
    return { arrived, end };
  }

  /**
   * Whether a process that is being started may have the name. A program of the original shows no credential; one that shows
   * another credential is a stranger.
   */
  isAwaited(name: string, credential: string | undefined): boolean {
    if (!this.#isExpected(name)) return false;
    return credential === undefined || credential === this.#expected.get(name)?.credential;
  }

  /** Whether a name has a connection as that kind of peer. */
  isConnected(name: string, entityType: "agent" | "user"): boolean {
    return (entityType === "user" ? this.#users : this.#agents).has(name);
  }

  /** Another known name that looks like this one. */
  lookAlike(name: string): string | undefined {
    return this.#options.registry.lookAlike(name);
  }

  /** Whether the agent of that name was started by the daemon, after a SPAWN. */
  isSpawned(name: string): boolean {
    return this.#options.registry.isSpawned(addressFor(name, "agent"));
  }

  /** Every agent and user that ever connected and was not forgotten. */
  known(): AgentRecord[] {
    return this.#options.registry.records();
  }

  /** Forgets a name as far as it is away. Rejects when the store fails. */
  async forget(name: string): Promise<ForgottenName> {
    let wasKnown = false;
    const addresses: string[] = [];
    for (const entityType of ["agent", "user"] as const) {
      if (this.isConnected(name, entityType)) continue;
      const address = addressFor(name, entityType);
      wasKnown = (await this.#options.registry.forget(address)) || wasKnown;
      addresses.push(address);
    }
    return { wasKnown, addresses };
  }

  /** Adds a newcomer. Returns the agent of the same name that it replaces. */
  add(peer: RelayPeer): RelayPeer | undefined {
    const expectation = this.#expected.get(peer.name);
    if (expectation !== undefined) expectation.keptUntil = 0;
    if (peer.entityType === "user") {
      this.#users.set(peer.name, (this.#users.get(peer.name) ?? new Set()).add(peer));
      return undefined;
    }
    expectation?.markArrived();
    const old = this.#agents.get(peer.name);
    this.#agents.delete(peer.name);
    this.#agents.set(peer.name, peer);
    return old;
  }

  /**
   * Removes a peer whose connection has ended. False when another connection stands for the name.
   *
   * @param isReleased the peer has given its name up
   */
  remove(peer: RelayPeer, isReleased: boolean): boolean {
    if (peer.entityType === "user") {
      const peers = this.#users.get(peer.name);
      if (peers?.delete(peer) !== true || peers.size > 0) return false;
      this.#users.delete(peer.name);
    } else {
      if (this.#agents.get(peer.name) !== peer) return false;
      this.#agents.delete(peer.name);
    }
    this.#options.registry.left(addressFor(peer.name, peer.entityType), isReleased);
    return true;
  }

  #isExpected(name: string): boolean {
    return (this.#expected.get(name)?.keptUntil ?? 0) > this.#options.now();
  }

  #isRecentUser(name: string): boolean {
    const { registry, limits, now } = this.#options;
    const record = registry.record(addressFor(name, "user"));
    return record !== undefined && record.lastSeen > now() - limits.relayRecentUserMs;
  }
}
