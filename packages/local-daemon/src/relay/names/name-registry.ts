import { createHash, randomBytes } from "node:crypto";
import { type Logger, newId } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { Committer } from "../../journal/index.js";
import type { Store } from "../../storage/index.js";
import type { AgentRecord } from "./directory.js";

const SCOPE = "names";
const TOKEN_BYTES = 16;
/** Sessions of one name whose tokens are good: those of a user's pages, or of an agent's last starts. */
const SESSIONS = 8;

/** A session and the hash of the token that resumes it. */
interface KnownSession {
  readonly id: string;
  readonly tokenHash: string;
}

interface KnownName {
  readonly record: AgentRecord;
  /** Oldest first. */
  readonly sessions: readonly KnownSession[];
  /** As of the last time it was stored. */
  readonly isConnected: boolean;
}

/** Options of {@link NameRegistry}. */
export interface NameRegistryOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Everybody who ever connected, by address, and the sessions they can resume. Survives the daemon. */
export class NameRegistry {
  readonly #options: NameRegistryOptions;
  readonly #names = new Map<string, KnownName>();

  constructor(options: NameRegistryOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon left. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [address, body] of await this.#options.store.relayFacts(SCOPE)) {
      const known = JSON.parse(body) as KnownName;
      // That daemon was killed: until then it was there.
      const lastSeen = known.isConnected ? this.#options.now() : known.record.lastSeen;
      this.#names.set(address, { ...known, record: { ...known.record, lastSeen }, isConnected: false });
    }
  }

  record(address: string): AgentRecord | undefined {
    return this.#names.get(address)?.record;
  }

  records(): AgentRecord[] {
    return [...this.#names.values()].map(({ record }) => record);
  }

  /** The session that a token resumes, or undefined when it is not one of the name's last ones. */
  sessionOf(address: string, token: string): string | undefined {
    const tokenHash = hashOf(token);
    return this.#names.get(address)?.sessions.find((session) => session.tokenHash === tokenHash)?.id;
  }

  /** Makes a session with a token of 128 random bits, which is kept as its hash only. */
  createSession(): { id: string; token: string; tokenHash: string } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    return { id: newId(), token, tokenHash: hashOf(token) };
  }

  /** Somebody has connected, with a new session or with one of the known ones. */
  arrived(address: string, record: AgentRecord, session: KnownSession | undefined): void {
    const known = this.#names.get(address);
    const sessions = [...(known?.sessions ?? []), ...(session === undefined ? [] : [session])].slice(-SESSIONS);
    const { firstSeen } = known?.record ?? record;
    this.#put(address, { record: { ...record, firstSeen }, sessions, isConnected: true });
  }

  /** The last connection of a name is gone. */
  left(address: string): void {
    const known = this.#names.get(address);
    if (known === undefined) return;
    this.#put(address, { ...known, record: { ...known.record, lastSeen: this.#options.now() }, isConnected: false });
  }

  /** False when nobody knew it. Rejects when the store fails. */
  async forget(address: string): Promise<boolean> {
    if (!this.#names.delete(address)) return false;
    await this.#options.committer.commit([{ kind: "relayFact", scope: SCOPE, name: address, body: undefined }]);
    return true;
  }

  #put(address: string, known: KnownName): void {
    this.#names.set(address, known);
    const { committer, logger } = this.#options;
    const write = { kind: "relayFact", scope: SCOPE, name: address, body: JSON.stringify(known) } as const;
    committer
      .commit([write])
      .catch((error: unknown) => logger.error({ address, error: String(error) }, "a name was not stored"));
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** What a HELLO says about its sender, as it is remembered. */
export function recordOf(hello: HelloPayload, entityType: "agent" | "user", now: number): AgentRecord {
  const { agent: name, cli, program, model, task, workingDirectory, team } = hello;
  return { name, entityType, cli, program, model, task, workingDirectory, team, firstSeen: now, lastSeen: now };
}
