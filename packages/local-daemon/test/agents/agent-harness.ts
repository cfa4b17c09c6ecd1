import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newId, type SessionId, type SessionNotification, silentLogger } from "@daemon-sdk/protocol";
import type {
  Agent,
  AgentEvents,
  AgentExit,
  AgentFault,
  AgentRequest,
  AgentSpec,
  AgentTurnEnd,
} from "../../src/agents/agent.js";
import type { AgentProcessTimings } from "../../src/agents/agent-process.js";
import { createAgentSpawner } from "../../src/agents/agent-spawner.js";
import type { StreamJsonrpcAgent } from "../../src/agents/drivers/stream-jsonrpc.js";

/** What an agent told, one entry a call, in order. */
export type Told =
  | { readonly kind: "notification"; readonly notification: SessionNotification }
  | { readonly kind: "request"; readonly request: AgentRequest }
  | { readonly kind: "fault"; readonly fault: AgentFault }
  | { readonly kind: "conversation"; readonly agentSessionId: string }
  | { readonly kind: "started" }
  | { readonly kind: "ended"; readonly end: AgentTurnEnd }
  | { readonly kind: "exit"; readonly exit: AgentExit };

/** Remembers everything an agent tells, and waits for it. */
export class Witness implements AgentEvents {
  readonly told: Told[] = [];
  #waiting: (() => void)[] = [];

  onNotification(notification: SessionNotification): void {
    this.#add({ kind: "notification", notification });
  }
  onRequest(request: AgentRequest): void {
    this.#add({ kind: "request", request });
  }
  onFault(fault: AgentFault): void {
    this.#add({ kind: "fault", fault });
  }
  onConversation(agentSessionId: string): void {
    this.#add({ kind: "conversation", agentSessionId });
  }
  onTurnStarted(): void {
    this.#add({ kind: "started" });
  }
  onTurnEnded(end: AgentTurnEnd): void {
    this.#add({ kind: "ended", end });
  }
  onExit(exit: AgentExit): void {
    this.#add({ kind: "exit", exit });
  }

  /** Entries of one kind so far. */
  of<Kind extends Told["kind"]>(kind: Kind): Extract<Told, { kind: Kind }>[] {
    return this.told.filter((one): one is Extract<Told, { kind: Kind }> => one.kind === kind);
  }

  /** Notifications of one type so far. */
  typed(type: string): SessionNotification[] {
    return this.of("notification").flatMap(({ notification }) => (notification.type === type ? [notification] : []));
  }

  /** Text of all deltas so far. */
  get text(): string {
    return this.typed("assistant_text_delta")
      .map(({ textDelta }) => textDelta)
      .join("");
  }

  /** Resolves with what `find` finds, as soon as it does. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async turnEnd(count = 1): Promise<AgentTurnEnd> {
    return this.until(() => this.of("ended")[count - 1]?.end);
  }

  async exit(): Promise<AgentExit> {
    return this.until(() => this.of("exit")[0]?.exit);
  }

  #add(one: Told): void {
    this.told.push(one);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** An agent that runs, and what it told. Stopped at the end of the block. */
export interface Running extends AsyncDisposable {
  readonly agent: StreamJsonrpcAgent & Agent;
  readonly witness: Witness;
  readonly sessionId: SessionId;
  readonly cwd: string;
  readonly stateDir: string;
  /** Hands over a prompt under an id of its own. */
  prompt(text: string, extra?: object): Promise<string>;
}

export interface StartOptions {
  readonly command: readonly [string, ...string[]];
  readonly timings?: Partial<AgentProcessTimings>;
  readonly spec?: Partial<AgentSpec>;
  readonly env?: NodeJS.ProcessEnv;
  readonly stateDir?: string;
  readonly cwd?: string;
  readonly sessionId?: SessionId;
  readonly instanceId?: string;
}

/** Path of a script in `test/fixtures`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

export const misbehaving = (how = "well"): readonly [string, ...string[]] => [
  process.execPath,
  fixture("misbehaving-agent.mjs"),
  how,
];

/** A directory of its own, gone at the end of the block. */
export async function tempDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "agents-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts an agent without opening a session. */
export async function startAgent(options: StartOptions): Promise<Running> {
  const dir = await tempDir();
  const stateDir = options.stateDir ?? dir.path;
  const cwd = options.cwd ?? dir.path;
  const sessionId = options.sessionId ?? newId<SessionId>();
  const witness = new Witness();
  const spawner = createAgentSpawner({
    instanceId: options.instanceId ?? newId(),
    stateDir,
    logger: silentLogger,
    ...(options.env && { env: options.env }),
    ...(options.timings && { timings: options.timings }),
  });
  const spec: AgentSpec = { name: "test", driver: "stream-jsonrpc", command: options.command, ...options.spec };
  const agent = await spawner.spawn(spec, sessionId, cwd, witness).catch(async (error) => {
    await dir[Symbol.asyncDispose]();
    throw error;
  });
  return {
    agent: agent as StreamJsonrpcAgent,
    witness,
    sessionId,
    cwd,
    stateDir,
    async prompt(text, extra = {}) {
      const messageId = newId();
      await agent.prompt({ sessionId, text, messageId, ...extra });
      return messageId;
    },
    async [Symbol.asyncDispose]() {
      await agent.stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Starts an agent and opens a new session on it. */
export async function openAgent(options: StartOptions, settings: object = {}): Promise<Running> {
  const running = await startAgent(options);
  await running.agent.open({ sessionId: running.sessionId, cwd: running.cwd, settings });
  return running;
}

/** State letter of a process in /proc; undefined when there is none of that pid. */
export async function processState(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return undefined;
  }
}

/** Writes a recording by hand: what the driver sends is matched by position, what the agent says is told as it is. */
export async function writeRecording(path: string, entries: readonly object[]): Promise<void> {
  await writeFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}
