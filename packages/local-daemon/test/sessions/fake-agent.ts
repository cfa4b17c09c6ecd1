import type { AddUserMessageParams, EnvelopeMeta, SessionNotification, TraceContext } from "@daemon-sdk/protocol";
import { ProcessExitError, sessionId } from "@daemon-sdk/protocol";
import type {
  Agent,
  AgentEvents,
  AgentExit,
  AgentReady,
  AgentSpawner,
  AgentSpec,
  AgentStart,
} from "../../src/agents/agent.js";

/**
 * An agent that does what the test says, when it says it; each call is remembered. It stands behind the daemon's own port, without a
 * wire and a driver: the fake agent of the testing package is on the other side of those.
 */
export class FakeAgent implements Agent {
  readonly pid: number;
  readonly startTime = "1";
  readonly starts: AgentStart[] = [];
  readonly prompts: AddUserMessageParams[] = [];
  /** Of each prompt. */
  readonly traces: (TraceContext | undefined)[] = [];
  readonly calls: { method: string; params: Record<string, unknown> }[] = [];
  readonly answers: Record<string, unknown>[] = [];
  readonly refusals: string[] = [];
  /** Conversations that it was to delete. */
  readonly forgotten: string[] = [];
  interrupts = 0;
  isPaused = false;
  hasExited = false;
  /** What opening the conversation waits for; default: nothing. */
  opening: Promise<void> = Promise.resolve();
  /** What `call` answers; default `{}`. */
  onCall: (method: string, params: Record<string, unknown>) => Record<string, unknown> = () => ({});
  /** Further fields of what it reports once it is ready. */
  readyWith: Partial<AgentReady> = {};
  /** Runs once a prompt was acknowledged; default: nothing, the test goes on from there. */
  onPrompt: (params: AddUserMessageParams) => void = () => {};
  /** Default: ends the turn as cancelled. */
  onInterrupt: () => void = () => this.end("cancelled");
  /** Resolves when it has ended. */
  readonly exited: Promise<void>;
  readonly #events: AgentEvents;
  #tellExited: () => void = () => {};
  #promptWaiters: (() => void)[] = [];

  constructor(
    pid: number,
    readonly spec: AgentSpec,
    readonly sessionId: string,
    events: AgentEvents,
  ) {
    this.pid = pid;
    this.#events = events;
    this.exited = new Promise((resolve) => {
      this.#tellExited = resolve;
    });
  }

  async open(start: AgentStart): Promise<AgentReady> {
    this.starts.push(start);
    await tick();
    await Promise.race([this.opening, this.exited]);
    if (this.hasExited) throw exitError();
    return {
      agentSessionId: start.resume ?? `agent-${start.sessionId}`,
      settings: { modelId: "fake-1", reasoningEffort: "none", ...start.settings },
      ...this.readyWith,
    };
  }

  async prompt(params: AddUserMessageParams, trace?: TraceContext): Promise<void> {
    await tick();
    if (this.hasExited) throw exitError();
    this.prompts.push(params);
    this.traces.push(trace);
    setImmediate(() => {
      this.onPrompt(params);
      for (const resolve of this.#promptWaiters.splice(0)) resolve();
    });
  }

  /** Resolves when so many prompts have been handed over. */
  async prompted(count: number): Promise<void> {
    while (this.prompts.length < count) await new Promise<void>((resolve) => this.#promptWaiters.push(resolve));
  }

  async interrupt(): Promise<void> {
    await tick();
    this.interrupts++;
    setImmediate(() => this.onInterrupt());
  }

  async call(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.calls.push({ method, params });
    await tick();
    return this.onCall(method, params);
  }

  async forget(agentSessionId: string): Promise<boolean> {
    this.forgotten.push(agentSessionId);
    return true;
  }

  setPaused(paused: boolean): void {
    this.isPaused = paused;
  }

  async stop(): Promise<AgentExit> {
    await tick();
    return this.#exit({ exitCode: 0, signal: null, stderr: "", expected: true });
  }

  /** Says something. */
  tell(notification: SessionNotification, meta?: EnvelopeMeta): void {
    this.#events.onNotification(notification, meta);
  }

  delta(text: string, messageId = "a-1"): void {
    this.tell({ type: "assistant_text_delta", messageId, blockIndex: 0, textDelta: text });
  }

  message(id: string, role: string, text: string, extra: object = {}): void {
    const message = { id, role, content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 };
    this.tell({ type: "create_message", message, ...extra });
  }

  /** Goes on in another conversation of its own. */
  moveTo(agentSessionId: string): void {
    this.#events.onConversation(agentSessionId);
  }

  state(newState: string): void {
    this.tell({ type: "droid_working_state_changed", newState });
  }

  started(): void {
    this.#events.onTurnStarted();
  }

  end(reason = "completed", details: Record<string, unknown> = {}): void {
    this.#events.onTurnEnded({ reason, details });
  }

  ask(method: "request_permission" | "ask_user", params: Record<string, unknown>, id = "agent-request"): void {
    this.#events.onRequest({
      id,
      method,
      params,
      respond: (result) => this.answers.push(result),
      refuse: (message) => this.refusals.push(message),
    });
  }

  /** Dies. With a turn running, as the driver tells it: its end first. */
  die(exitCode: number | null = 1, signal: string | null = null): void {
    if (this.prompts.length > 0) this.end("agent_exited", { exitCode, signal, message: "The agent died." });
    this.#exit({ exitCode, signal, stderr: "", expected: false });
  }

  #exit(exit: AgentExit): AgentExit {
    if (this.hasExited) return exit;
    this.hasExited = true;
    this.#tellExited();
    this.#events.onExit(exit);
    return exit;
  }
}

/** Starts {@link FakeAgent}s. */
export class FakeSpawner implements AgentSpawner {
  readonly agents: FakeAgent[] = [];
  /** Set up each agent before it is opened. */
  onSpawn: (agent: FakeAgent) => void = () => {};
  /** Set to make starts fail. */
  failure: Error | undefined;
  #waiters: (() => void)[] = [];

  async spawn(spec: AgentSpec, id: string, _cwd: string, events: AgentEvents): Promise<FakeAgent> {
    await tick();
    if (this.failure !== undefined) throw this.failure;
    const agent = new FakeAgent(1_000 + this.agents.length, spec, sessionId(id), events);
    this.agents.push(agent);
    this.onSpawn(agent);
    for (const resolve of this.#waiters.splice(0)) resolve();
    return agent;
  }

  /** Sessions never launch programs. */
  async launch(): Promise<never> {
    throw exitError();
  }

  /** The latest agent of the session, waited for. */
  async agentOf(id: string, number = 1): Promise<FakeAgent> {
    for (;;) {
      const agent = this.agents.filter((candidate) => candidate.sessionId === id)[number - 1];
      if (agent !== undefined) return agent;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function exitError(): ProcessExitError {
  return new ProcessExitError("The agent died.", { exitCode: 1, signal: null });
}
