import {
  type Logger,
  METHODS,
  newId,
  ProcessExitError,
  type SessionId,
  type SessionNotification,
  type SettingsParams,
} from "@daemon-sdk/protocol";
import type {
  Agent,
  AgentEvents,
  AgentExit,
  AgentRequest,
  AgentSpawner,
  AgentSpec,
  AgentTurnEnd,
} from "../../agents/index.js";
import { AgentAnswer } from "./agent-answer.js";

/** One piece of work for an agent. */
export interface WorkerTask {
  readonly text: string;
  /** The agent has the prompt: from now on it is the agent's affair. Called once, before the answer; not when it is refused. */
  onAccepted(): void;
  /** How it ended; called once for each task that was handed in. */
  onAnswered(answer: WorkerAnswer): void;
}

/** What came of a task. */
export interface WorkerAnswer {
  /** What the agent said, or why there is no answer. */
  readonly text: string;
  /**
   * `completed`, or the reason for which the turn ended otherwise. `refused`: the agent did not take it. `not_started`: the
   * agent has ended before it could.
   */
  readonly reason: string;
}

/** Options of {@link WorkerAgent.start}. */
export interface WorkerAgentOptions {
  readonly spawner: AgentSpawner;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly cwd: string;
  readonly model?: string | undefined;
  /**
   * True: the agent may ask before it acts, and because nobody is there to answer, what it asks for is refused. Default
   * false: it is told to act without asking, as the original starts its programs (docs/wire/relay.md#spawning).
   */
  readonly interactive?: boolean | undefined;
  /** Ends a start that is under way; without effect later. */
  readonly signal?: AbortSignal | undefined;
  /** The process runs; it has not opened its conversation yet. */
  onLaunched?(process: { readonly pid: number; readonly startTime: string }): void;
  readonly logger: Logger;
}

interface RunningTask {
  readonly task: WorkerTask;
  readonly answer: AgentAnswer;
  isAccepted: boolean;
}

/**
 * A stdio agent that works for other agents: one task at a time, in the order they come.
 *
 * It is never started again by itself. When it dies, every task that was not answered is, with that as the reason.
 */
export class WorkerAgent {
  /** Resolves once, when its process is gone and every task was answered. */
  readonly gone: Promise<AgentExit>;
  readonly #options: WorkerAgentOptions;
  readonly #waiting: WorkerTask[] = [];
  #agent!: Agent;
  #model: string | undefined;
  #current: RunningTask | undefined;
  #exit: AgentExit | undefined;
  #tellGone!: (exit: AgentExit) => void;

  /** Starts the process and opens its conversation. Rejects as `AgentSpawner.spawn` and `Agent.open` do, with nothing left. */
  static async start(options: WorkerAgentOptions): Promise<WorkerAgent> {
    const worker = new WorkerAgent(options);
    await worker.#start();
    return worker;
  }

  private constructor(options: WorkerAgentOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  get pid(): number {
    return this.#agent.pid;
  }

  /** As the kernel tells it. */
  get startTime(): string {
    return this.#agent.startTime;
  }

  /** The model it works with; undefined until it has said so. */
  get model(): string | undefined {
    return this.#model;
  }

  /** Tasks that wait, the running one not counted. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Hands in a task. */
  work(task: WorkerTask): void {
    this.#waiting.push(task);
    this.#next();
  }

  /** Switches the model; resolves with the former one. Rejects with what the agent answered. */
  async setModel(model: string, timeoutMs: number): Promise<string | undefined> {
    const { name } = METHODS.updateSessionSettings;
    await this.#agent.call(name, { modelId: model }, timeoutMs);
    const previous = this.#model;
    this.#model = model;
    return previous;
  }

  /** Ends the process; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.gone;
  }

  async #start(): Promise<void> {
    const { spawner, spec, sessionId, cwd, model, signal } = this.#options;
    this.#agent = await spawner.spawn(spec, sessionId, cwd, this.#events());
    this.#options.onLaunched?.(this.#agent);
    const onAbort = () => void this.#agent.stop();
    signal?.addEventListener("abort", onAbort);
    try {
      signal?.throwIfAborted();
      const { settings } = await this.#agent.open({ sessionId, cwd, settings: this.#settings() });
      this.#model = settings.modelId ?? model;
    } catch (error) {
      await this.#agent.stop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #settings(): SettingsParams {
    const { model, interactive } = this.#options;
    const autonomyLevel = interactive === true ? "off" : "high";
    return { autonomyLevel, ...(model === undefined ? {} : { modelId: model }) };
  }

  #events(): AgentEvents {
    return {
      onNotification: (notification) => this.#observe(notification),
      onRequest: (request) => this.#answerRequest(request),
      onTurnStarted: () => {},
      onTurnEnded: (end) => this.#ended(end),
      onExit: (exit) => this.#exited(exit),
    };
  }

  #observe(notification: SessionNotification): void {
    this.#current?.answer.observe(notification);
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const task = this.#waiting.shift();
    if (task === undefined) return;
    const current: RunningTask = { task, answer: new AgentAnswer(), isAccepted: false };
    this.#current = current;
    this.#prompt(task).then(
      () => accept(current),
      (error: unknown) => {
        if (this.#current !== current) return;
        const reason = ProcessExitError.is(error) ? "not_started" : "refused";
        this.#finish({ text: error instanceof Error ? error.message : String(error), reason });
      },
    );
  }

  async #prompt(task: WorkerTask): Promise<void> {
    if (this.#exit !== undefined) throw exitError(this.#options.spec, this.#exit);
    const { sessionId } = this.#options;
    await this.#agent.prompt({ sessionId, text: task.text, messageId: newId() });
  }

  #ended({ reason, details }: AgentTurnEnd): void {
    // Its acknowledgement may be told by its end only.
    if (this.#current !== undefined) accept(this.#current);
    const said = this.#current?.answer.text ?? "";
    const why = typeof details.message === "string" ? details.message : `The agent's turn ended: ${reason}.`;
    const text = reason === "completed" ? said : [said, why].filter((part) => part !== "").join("\n");
    this.#finish({ text, reason });
  }

  #finish(answer: WorkerAnswer): void {
    const task = this.#current?.task;
    this.#current = undefined;
    task?.onAnswered(answer);
    // The agent is told of the end of a turn before it takes another.
    queueMicrotask(() => this.#next());
  }

  /** Nobody is there to be asked: whoever sent the task waits for its answer, not for a question. */
  #answerRequest({ method, params, respond }: AgentRequest): void {
    this.#options.logger.info(
      { agent: this.#options.spec.name, method },
      "A worker asked, and nobody is there to answer.",
    );
    respond(method === "ask_user" ? { cancelled: true, answers: [] } : { selectedOption: this.#permission(params) });
  }

  #permission({ options }: Record<string, unknown>): "proceed_once" | "cancel" {
    const isOffered = Array.isArray(options) && options.some((option) => option?.value === "proceed_once");
    return isOffered && this.#options.interactive !== true ? "proceed_once" : "cancel";
  }

  #exited(exit: AgentExit): void {
    this.#exit = exit;
    // A turn that ran was ended by the driver before this; what waited is answered by being refused.
    this.#next();
    setImmediate(() => this.#tellGone(exit));
  }
}

function accept(running: RunningTask): void {
  if (running.isAccepted) return;
  running.isAccepted = true;
  running.task.onAccepted();
}

function exitError({ name }: AgentSpec, exit: AgentExit): ProcessExitError {
  const how = exit.signal === null ? `exit code ${exit.exitCode}` : exit.signal;
  return new ProcessExitError(`Agent "${name}" has ended (${how}), so the message was not worked on.`, { ...exit });
}
