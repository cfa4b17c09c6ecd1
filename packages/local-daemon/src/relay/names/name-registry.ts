import { createHash, randomBytes } from "node:crypto";
import { type Logger, newId } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { Committer } from "../../journal/index.js";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";

const SCOPE = "names";
const TOKEN_BYTES = 16;

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

/** A session and the hash of the token that resumes it. */
interface KnownSession {
  readonly id: string;
  readonly tokenHash: string;
}

interface KnownName {
  readonly record: AgentRecord;
  /** Oldest first. */
  readonly sessions: readonly KnownSession[];
  /** When this was stored. */
  readonly isConnected: boolean;
}

/** Options of {@link NameRegistry}. */
export interface NameRegistryOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Every agent and user that ever connected, by address, with the sessions it can resume. Survives the daemon. */
export class NameRegistry {
  readonly #options: NameRegistryOptions;
  readonly #names = new Map<string, KnownName>();

  constructor(options: NameRegistryOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [address, body] of await this.#options.store.relayFacts(SCOPE)) {
      const known = JSON.parse(body) as KnownName;
      // That daemon was killed while the name was connected.
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

  /** Makes a session with a token of 128 random bits, of which only the hash is stored. */
  createSession(): { id: string; token: string; tokenHash: string } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    return { id: newId(), token, tokenHash: hashOf(token) };
  }

  /** A name has connected. `session`: the new one, or undefined when it resumes a known one. */
  arrived(address: string, record: AgentRecord, session: KnownSession | undefined): void {
    const known = this.#names.get(address);
    const sessions = [...(known?.sessions ?? []), ...(session === undefined ? [] : [session])].slice(
      -MESSAGING_LIMITS.resumableSessions,
    );
    const { firstSeen } = known?.record ?? record;
    this.#put(address, { record: { ...record, firstSeen }, sessions, isConnected: true });
  }

  /** The last connection of a name has ended. */
  left(address: string): void {
    const known = this.#names.get(address);
    if (known === undefined) return;
    this.#put(address, { ...known, record: { ...known.record, lastSeen: this.#options.now() }, isConnected: false });
  }

  /** Forgets a name. False when it was not known. Rejects when the store fails. */
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

/** What a HELLO says about its sender, as it is stored. */
export function recordOf(hello: HelloPayload, entityType: "agent" | "user", now: number): AgentRecord {
  const { agent: name, cli, program, model, task, workingDirectory, team } = hello;
  return { name, entityType, cli, program, model, task, workingDirectory, team, firstSeen: now, lastSeen: now };
}
