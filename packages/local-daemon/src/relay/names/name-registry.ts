import { randomBytes } from "node:crypto";
import { type Logger, newId } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import { type Claim, type Evidence, hashOf, type KnownSession, provenClaim, renewedClaim } from "./claims.js";
import { LookAlikes } from "./look-alikes.js";
import { addressFor } from "./mailbox-address.js";
import { type NameHolder, NameRoom, type NameRoomFault } from "./name-room.js";

const SCOPE = "names";
const TOKEN_BYTES = 16;
/** Length of one claim as it is stored, which a new name has besides its record. */
const CLAIM_UNITS = 256;

/** What is stored of a name. Times in Unix milliseconds. */
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

interface KnownName {
  readonly record: AgentRecord;
  /**
   * The owners, oldest first. The last one has the name. An earlier one lost its connection while no mail waited: when it
   * comes back, it has the name again.
   */
  readonly claims: readonly Claim[];
  /** When this was stored. */
  readonly isConnected: boolean;
  /** The last owner has given the name up: the next one has no earlier ones before it. */
  readonly isReleased?: boolean | undefined;
}

/** A name as it was stored before names had owners. */
type StoredName = Omit<KnownName, "claims"> & { claims?: readonly Claim[]; sessions?: readonly KnownSession[] };

/** An accepted HELLO. */
export interface Arrival {
  readonly record: AgentRecord;
  readonly evidence: Evidence;
  /** The new session; undefined when a known one is resumed. */
  readonly session?: KnownSession | undefined;
  /** The daemon has started this agent. */
  readonly isSpawned?: boolean | undefined;
}

/** Options of {@link NameRegistry}. */
export interface NameRegistryOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
  readonly limits: Pick<RelayLimits, "relayNames" | "relayNamesUnits" | "relayRecentUserMs">;
  readonly now: () => number;
  readonly logger: Logger;
  /** Called after a name has connected, disconnected or been forgotten. */
  readonly onChanged?: (name: string) => void;
  /** Which names have to be kept, whatever their number, because of their mail; asked once for one search of room. */
  readonly kept?: () => (address: string) => boolean;
  /** Called after a name was forgotten because there were too many. */
  readonly onForgotten?: (address: string, record: AgentRecord) => void;
}

/** Every agent and user that ever connected, by address, with its owners and the sessions it can resume. Survives the daemon. */
export class NameRegistry {
  readonly #options: NameRegistryOptions;
  readonly #names = new Map<string, KnownName>();
  readonly #looks = new LookAlikes();
  readonly #room: NameRoom;

  constructor(options: NameRegistryOptions) {
    this.#options = options;
    this.#room = new NameRoom(options);
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    const stored = (await this.#options.store.relayFacts(SCOPE)).map(
      ([address, body]) => [address, nameOf(JSON.parse(body) as StoredName), body.length] as const,
    );
    stored.sort(([, one], [, other]) => one.record.lastSeen - other.record.lastSeen);
    for (const [address, known, units] of stored) {
      // That daemon was killed while the name was connected.
      const lastSeen = known.isConnected ? this.#options.now() : known.record.lastSeen;
      this.#set(address, { ...known, record: { ...known.record, lastSeen }, isConnected: false }, units);
      this.#looks.add(known.record.name);
    }
  }

  /**
   * Makes room for a name by forgetting others that are not needed. Returns why there is none, and forgets nothing then.
   */
  makeRoom(address: string, { record, evidence }: Pick<Arrival, "record" | "evidence">): NameRoomFault | undefined {
    const holder = evidence.isPerson ? "person" : "programs";
    const units = JSON.stringify(record).length + CLAIM_UNITS;
    const found = this.#room.neededFor(address, { holder, units }, this.#options.kept ?? (() => () => false));
    if ("message" in found) return found;
    for (const forgotten of found) this.#letGo(forgotten);
    return undefined;
  }

  record(address: string): AgentRecord | undefined {
    return this.#names.get(address)?.record;
  }

  /** Whether the name has a connection. */
  isConnected(address: string): boolean {
    return this.#names.get(address)?.isConnected === true;
  }

  records(): AgentRecord[] {
    return [...this.#names.values()].map(({ record }) => record);
  }

  /** The session that a token resumes, or undefined when it is not one of the name's last ones. */
  sessionOf(address: string, token: string): string | undefined {
    const tokenHash = hashOf(token);
    const sessions = this.#names.get(address)?.claims.flatMap((claim) => claim.sessions);
    return sessions?.find((session) => session.tokenHash === tokenHash)?.id;
  }

  /** Makes a session with a token of 128 random bits, of which only the hash is stored. */
  createSession(): { id: string; token: string; tokenHash: string } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    return { id: newId(), token, tokenHash: hashOf(token) };
  }

  /** Whether the evidence proves that the name has been this owner's. False for a name that is not known. */
  isOwner(address: string, evidence: Evidence): boolean {
    return provenClaim(this.#names.get(address)?.claims ?? [], evidence) >= 0;
  }

  /** Since when the name has its present owner, in Unix milliseconds; 0 when that is not known. */
  ownedSince(address: string): number {
    return this.#names.get(address)?.claims.at(-1)?.since ?? 0;
  }

  /** Whether the daemon has started the name's present owner. */
  isSpawned(address: string): boolean {
    return this.#names.get(address)?.claims.at(-1)?.isSpawned === true;
  }

  /** Another known name that looks like this one. Undefined for a name that is known itself. */
  lookAlike(name: string): string | undefined {
    const isKnown = this.#names.has(addressFor(name, "agent")) || this.#names.has(addressFor(name, "user"));
    return isKnown ? undefined : this.#looks.find(name);
  }

  /** A name has connected. */
  arrived(address: string, arrival: Arrival): void {
    const known = this.#names.get(address);
    const { firstSeen } = known?.record ?? arrival.record;
    this.#put(address, {
      record: { ...arrival.record, firstSeen },
      claims: this.#claimsAfter(known, arrival),
      isConnected: true,
    });
  }

  /** The last connection of a name has ended. `isReleased`: its owner has given the name up. */
  left(address: string, isReleased: boolean): void {
    const known = this.#names.get(address);
    if (known === undefined) return;
    const record = { ...known.record, lastSeen: this.#options.now() };
    this.#put(address, { ...known, record, isConnected: false, isReleased });
  }

  /** Forgets a name. False when it was not known. Rejects when the store fails. */
  async forget(address: string): Promise<boolean> {
    const known = this.#names.get(address);
    if (known === undefined) return false;
    this.#names.delete(address);
    this.#room.delete(address);
    const { name, entityType } = known.record;
    const isOtherKnown = this.#names.has(addressFor(name, entityType === "agent" ? "user" : "agent"));
    if (!isOtherKnown) this.#looks.delete(name);
    this.#options.onChanged?.(name);
    await this.#options.committer.commit([{ kind: "relayFact", scope: SCOPE, name: address, body: undefined }]);
    return true;
  }

  /** A name is known no more, so that another one can be. */
  #letGo(address: string): void {
    const { logger, onForgotten } = this.#options;
    const record = this.record(address);
    if (record === undefined) return;
    this.forget(address).catch((error: unknown) =>
      logger.error({ address, error: String(error) }, "a name was not forgotten"),
    );
    onForgotten?.(address, record);
  }

  #set(address: string, known: KnownName, units: number): void {
    const { record, claims, isConnected, isReleased } = known;
    this.#names.set(address, known);
    const holder: NameHolder = claims.at(-1)?.isPerson === true ? "person" : "programs";
    this.#room.put(address, { holder, units, awaySince: isConnected ? undefined : record.lastSeen, isReleased });
  }

  #claimsAfter(known: KnownName | undefined, { evidence, session, isSpawned }: Arrival): readonly Claim[] {
    const claims = known?.claims ?? [];
    const index = provenClaim(claims, evidence);
    const proven = claims[index];
    // Whoever took the name after this owner has it no more.
    if (proven !== undefined) return [...claims.slice(0, index), renewedClaim(proven, evidence, session)];
    const blank: Claim = { sessions: [], since: this.#options.now(), ...(isSpawned === true ? { isSpawned } : {}) };
    const earlier = known?.isReleased === true ? [] : claims.slice(0, 1);
    return [...earlier, renewedClaim(blank, evidence, session)];
  }

  #put(address: string, known: KnownName): void {
    if (!this.#names.has(address)) this.#looks.add(known.record.name);
    const body = JSON.stringify(known);
    this.#set(address, known, body.length);
    const { committer, logger, onChanged } = this.#options;
    onChanged?.(known.record.name);
    const write = { kind: "relayFact", scope: SCOPE, name: address, body } as const;
    committer
      .commit([write])
      .catch((error: unknown) => logger.error({ address, error: String(error) }, "a name was not stored"));
  }
}

function nameOf({ sessions = [], ...known }: StoredName): KnownName {
  return { ...known, claims: known.claims ?? [{ sessions, since: 0 }] };
}

/** What a HELLO says about its sender, as it is stored. */
export function recordOf(hello: HelloPayload, entityType: "agent" | "user", now: number): AgentRecord {
  const { agent: name, cli, program, model, task, workingDirectory, team } = hello;
  return { name, entityType, cli, program, model, task, workingDirectory, team, firstSeen: now, lastSeen: now };
}
