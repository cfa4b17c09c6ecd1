import { InvalidOptionError, ProtocolError, RpcCode, SessionError, type SessionId } from "@daemon-sdk/protocol";
import type { AgentSpec } from "./agent.js";

/** Agents that are found after the start of the daemon. */
export interface LaterAgents {
  /** Resolves when all are found. */
  read(): Promise<unknown>;
  /** All that are found so far. */
  specs(): readonly AgentSpec[];
}

/** The agents that a daemon is configured with, by name. */
export class AgentCatalog {
  /** Those that can hold a session. */
  #specs: ReadonlyMap<string, AgentSpec> = new Map();
  /** Those, and programs of the driver `relay`. */
  #spawnable: ReadonlyMap<string, AgentSpec> = new Map();
  #defaultName = "";
  #later: LaterAgents | undefined;

  /** Throws an `InvalidOptionError` when the default is not among them. */
  constructor(specs: readonly AgentSpec[], defaultName: string, later?: LaterAgents) {
    this.#later = later;
    this.#take(specs, defaultName);
  }

  /** Takes those of another catalog from now on. Running agents go on as they were started. */
  replaceBy(other: AgentCatalog): void {
    this.#later = other.#later;
    this.#take(other.specs, other.#defaultName);
  }

  #take(specs: readonly AgentSpec[], defaultName: string): void {
    const spawnable = new Map(specs.map((spec) => [spec.name, spec]));
    const forSessions = new Map([...spawnable].filter(([, { driver }]) => driver !== "relay"));
    if (!forSessions.has(defaultName)) {
      throw new InvalidOptionError("defaultAgent", `one of ${[...forSessions.keys()].join(", ")}`, defaultName);
    }
    this.#spawnable = spawnable;
    this.#specs = forSessions;
    this.#defaultName = defaultName;
  }

  /** Waits for agents that are found later, unless an agent of that name is known. Call it before {@link choose} or {@link specOf}. */
  async seek(name: string | undefined): Promise<void> {
    if (name === undefined || this.#spawnable.has(name)) return;
    await this.#later?.read();
    this.complete();
  }

  /** Takes in what has been found since. */
  complete(): void {
    const known = new Set(this.spawnableNames);
    const found = this.#later?.specs().filter(({ name }) => !known.has(name)) ?? [];
    if (found.length > 0) this.#take([...this.specs, ...found], this.#defaultName);
  }

  /** Those that a client may ask for, the default first. */
  get names(): string[] {
    return [this.#defaultName, ...[...this.#specs.keys()].filter((name) => name !== this.#defaultName)];
  }

  /** The agent a client asked for, or the default. Throws -32602 for a name that is not configured. */
  choose(name: string = this.#defaultName): AgentSpec {
    const spec = this.#specs.get(name);
    if (spec !== undefined) return spec;
    const known = this.names.join(", ");
    throw new ProtocolError("INVALID_PARAMS", `No agent is named "${name}". Known ones: ${known}.`, {
      rpcCode: RpcCode.invalidParams,
    });
  }

  /** All agents, those of the relay included. */
  get specs(): AgentSpec[] {
    return [...this.#spawnable.values()];
  }

  /** What the relay's SPAWN may start, by name; undefined for a name that is not configured. */
  spawnable(name: string): AgentSpec | undefined {
    return this.#spawnable.get(name);
  }

  /** The names of all that {@link spawnable} knows. */
  get spawnableNames(): string[] {
    return [...this.#spawnable.keys()];
  }

  /** The agent of a session that was made earlier. Throws `SESSION_DISCONNECTED` when the configuration lost it. */
  specOf(name: string, sessionId: SessionId): AgentSpec {
    const spec = this.#specs.get(name);
    if (spec !== undefined) return spec;
    throw new SessionError(
      "SESSION_DISCONNECTED",
      `The agent "${name}" of this session is not configured any more. Its history can be read; configure the agent to go on.`,
      { sessionId },
    );
  }
}
