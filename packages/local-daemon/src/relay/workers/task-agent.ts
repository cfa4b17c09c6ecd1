import {
  type Logger,
  METHODS,
  newId,
  ProcessExitError,
  type SessionId,
  type SessionNotification,
  type SettingsParams,
} from "@daemon-sdk/protocol";
import {
  type Agent,
  type AgentEvents,
  type AgentExit,
  type AgentRequest,
  type AgentSpawner,
  type AgentSpec,
  type AgentTurnEnd,
  CANCEL_ANSWERS,
} from "../../agents/index.js";
import { AgentAnswer } from "./agent-answer.js";

/** One prompt for an agent. */
export interface AgentTask {
  readonly text: string;
  /** The agent has taken the prompt. Called once, before the answer; not when the agent refuses it. */
  onAccepted(): void;
  /** The task has ended; called once for each task. */
  onAnswered(answer: TaskAnswer): void;
}

/** The outcome of a task. */
export interface TaskAnswer {
  /** The agent's answer, or why there is none. */
  readonly text: string;
  /**
   * `completed`, or the reason for which the turn ended otherwise. `refused`: the agent did not take the prompt.
   * `not_started`: the agent ended before it could take the prompt.
   */
  readonly reason: string;
}

/** Options of {@link TaskAgent.start}. */
export interface TaskAgentOptions {
  readonly spawner: AgentSpawner;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly cwd: string;
  readonly model?: string | undefined;
  /**
   * True: the agent asks before it acts, and is refused, for no user is connected to it. Default false: the agent acts without
   * asking, as the original starts its programs (docs/wire/relay.md#spawning).
   */
  readonly interactive?: boolean | undefined;
  /** Ends a start that is under way. Without effect afterwards. */
  readonly signal?: AbortSignal | undefined;
  /** The process runs; its conversation is not opened yet. */
  onLaunched?(process: { readonly pid: number; readonly startTime: string }): void;
  readonly logger: Logger;
}

interface RunningTask {
  readonly task: AgentTask;
  readonly answer: AgentAnswer;
  isAccepted: boolean;
  /** What the agent sent in this task, and could not be taken. */
  loss?: string;
}

/**
 * A stdio agent that works for other agents: one task at a time, in the order of their arrival.
 *
 * It is not restarted. When its process ends, every open task is answered with that as the reason.
 */
export class TaskAgent {
  /** Resolves once, when the process has ended and every task was answered. */
  readonly gone: Promise<AgentExit>;
  readonly #options: TaskAgentOptions;
  readonly #waiting: AgentTask[] = [];
  #agent!: Agent;
  #model: string | undefined;
  #current: RunningTask | undefined;
  #exit: AgentExit | undefined;
  #markGone!: (exit: AgentExit) => void;

  /** Starts the process and opens its conversation. Rejects as `AgentSpawner.spawn` and `Agent.open` do; then none is left. */
  static async start(options: TaskAgentOptions): Promise<TaskAgent> {
    const worker = new TaskAgent(options);
    await worker.#start();
    return worker;
  }

  private constructor(options: TaskAgentOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#markGone = resolve;
    });
  }

  get pid(): number {
    return this.#agent.pid;
  }

  /** The start time of the process, from the kernel. */
  get startTime(): string {
    return this.#agent.startTime;
  }

  /** The agent's model; undefined until it is known. */
  get model(): string | undefined {
    return this.#model;
  }

  /** Waiting tasks, without the running one. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Queues a task. */
  work(task: AgentTask): void {
    this.#waiting.push(task);
    this.#next();
  }

  /** Switches the model; resolves with the former one. Rejects with the agent's error. */
  async setModel(model: string, timeoutMs: number): Promise<string | undefined> {
    const { name } = METHODS.updateSessionSettings;
    await this.#agent.call(name, { modelId: model }, timeoutMs);
    const previous = this.#model;
    this.#model = model;
    return previous;
  }

  /** Ends the process; resolves when all of it has ended. */
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
      throw signal?.aborted ? signal.reason : error;
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
      onFault: ({ isLoss, message }) => {
        if (isLoss && this.#current !== undefined) this.#current.loss ??= message;
      },
      onConversation: () => {},
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

  async #prompt(task: AgentTask): Promise<void> {
    if (this.#exit !== undefined) throw exitError(this.#options.spec, this.#exit);
    const { sessionId } = this.#options;
    await this.#agent.prompt({ sessionId, text: task.text, messageId: newId() });
  }

  #ended({ reason, details }: AgentTurnEnd): void {
    // An agent may acknowledge a prompt only by ending its turn.
    if (this.#current !== undefined) accept(this.#current);
    const said = this.#current?.answer.text ?? "";
    const loss = this.#current?.loss;
    if (reason === "completed" && said === "" && loss !== undefined) {
      this.#finish({ text: loss, reason: "error" });
      return;
    }
    const why = typeof details.message === "string" ? details.message : `The agent's turn ended: ${reason}.`;
    const text = reason === "completed" ? said : [said, why].filter((part) => part !== "").join("\n");
    this.#finish({ text, reason });
  }

  #finish(answer: TaskAnswer): void {
    const task = this.#current?.task;
    this.#current = undefined;
    task?.onAnswered(answer);
    // The driver handles the end of a turn before the next prompt.
    queueMicrotask(() => this.#next());
  }

  /** No user is connected to a worker: a question is cancelled, a permission is granted or refused as configured. */
  #answerRequest({ method, params, respond }: AgentRequest): void {
    this.#options.logger.info(
      { agent: this.#options.spec.name, method },
      "A worker sent a request, and no user is connected to answer it.",
    );
    respond(method === "ask_user" ? CANCEL_ANSWERS.ask_user : this.#permission(params));
  }

  #permission({ options }: Record<string, unknown>): Record<string, unknown> {
    const isOffered = Array.isArray(options) && options.some((option) => option?.value === "proceed_once");
    const isGiven = isOffered && this.#options.interactive !== true;
    return isGiven ? { selectedOption: "proceed_once" } : CANCEL_ANSWERS.request_permission;
  }

  #exited(exit: AgentExit): void {
    this.#exit = exit;
    // The driver has ended the running turn before this. Tasks that wait are answered as not started.
    this.#next();
    setImmediate(() => this.#markGone(exit));
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
