import {
  type AddUserMessageParams,
  ConnectionError,
  type EnvelopeMeta,
  type InboundNotification,
  type InboundRequest,
  isFailure,
  isSessionNotificationParams,
  type Logger,
  METHODS,
  NO_ANSWER,
  ProcessExitError,
  ProtocolEngine,
  ProtocolError,
  type ResponseEnvelope,
  RpcCode,
  RpcFault,
  SessionError,
  type SessionId,
  type SessionNotification,
  type SessionNotificationParams,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";
import type { Agent, AgentEvents, AgentExit, AgentReady, AgentStart } from "../agent.js";
import type { AgentProcess } from "../agent-process.js";
import { AgentTurn } from "./agent-turn.js";
import { ConversationHandover } from "./conversation-handover.js";
import { changedSettings, initializeParams, loadParams, readyFrom } from "./open-session.js";
import { sparingLogger } from "./sparing-logger.js";
import { StdioTransport } from "./stdio-transport.js";

/** What a {@link StreamJsonrpcAgent} drives, and where its events go. */
export interface StreamJsonrpcAgentOptions {
  readonly spec: { readonly name: string };
  readonly process: AgentProcess;
  /** Id of the session as clients know it; the agent may have another of its own. */
  readonly sessionId: SessionId;
  readonly events: AgentEvents;
  readonly logger: Logger;
}

/**
 * An agent that writes session envelopes on its stdout, as `droid exec` and our own do
 * (docs/wire/agent-stdio.md#start).
 *
 * One process holds one session, so its messages belong to that session, whatever id they name or omit. Messages that cannot be
 * used are counted and logged; only the end of the process ends the agent.
 */
export class StreamJsonrpcAgent implements Agent {
  readonly pid: number;
  readonly startTime: string;

  readonly #options: StreamJsonrpcAgentOptions;
  readonly #process: AgentProcess;
  readonly #logger: Logger;
  readonly #events: AgentEvents;
  readonly #transport: StdioTransport;
  readonly #engine: ProtocolEngine;
  readonly #handover = new ConversationHandover();
  #agentSessionId: string;
  #turn: AgentTurn | undefined;
  /** The working state that was passed on last; after a turn's end the daemon states `idle` itself. */
  #workingState = "idle";
  #isStopping = false;

  constructor(options: StreamJsonrpcAgentOptions) {
    const { process, events, sessionId } = options;
    const logger = sparingLogger(options.logger, { agent: options.spec.name, pid: process.pid, sessionId });
    this.#options = options;
    this.#process = process;
    this.#logger = logger;
    this.#events = events;
    this.#agentSessionId = options.sessionId;
    this.pid = process.pid;
    this.startTime = process.startTime;
    this.#transport = new StdioTransport({ input: process.stdout, output: process.stdin, logger });
    this.#transport.onBroken = () => this.#giveUp();
    this.#engine = new ProtocolEngine(this.#transport, { prefix: "droid", logger });
    this.#engine.onNotification = (notification) => this.#notified(notification);
    this.#engine.onRequest = (request) => this.#asked(request);
    this.#engine.onStrayResponse = (response) => this.#strayed(response);
    this.#engine.onClose = () => this.#giveUp();
    // The rest in a dead agent's pipe is little, and must be read, or the pipe never ends. (Node resumes the pipe by
    // itself then, and promises it nowhere.)
    void process.dead.then(() => this.#transport.setPaused(false));
    void process.gone.then((exit) => this.#exited(exit));
  }

  /** Messages that were no line, no envelope, or no answer to a call; for logs and tests. */
  get counters(): { readonly badLines: number; readonly badFrames: number; readonly strayResponses: number } {
    const { badFrames, strayResponses } = this.#engine.counters;
    return { badLines: this.#transport.badLines, badFrames, strayResponses };
  }

  async open(start: AgentStart): Promise<AgentReady> {
    if (start.resume === undefined) return this.#initialize(start);
    try {
      return await this.#load(start, start.resume);
    } catch (error) {
      if (!ProtocolError.is(error, "METHOD_NOT_FOUND")) throw error;
      // It keeps no conversations.
      return { ...(await this.#initialize(start)), hasForgotten: true };
    }
  }

  #initialize(start: AgentStart): Promise<AgentReady> {
    this.#agentSessionId = start.sessionId;
    return this.#openBy(METHODS.initializeSession.name, initializeParams(start));
  }

  async #load(start: AgentStart, resume: string): Promise<AgentReady> {
    this.#agentSessionId = resume;
    const ready = await this.#openBy(METHODS.loadSession.name, loadParams(start));
    const changed = changedSettings(start.settings, ready.settings);
    if (changed === undefined) return ready;
    // The agent remembers its own settings; the daemon's are the ones that a person saw and chose.
    await this.#request(METHODS.updateSessionSettings.name, changed);
    return { ...ready, settings: { ...ready.settings, ...changed } };
  }

  async #openBy(method: string, params: object): Promise<AgentReady> {
    const result = await this.#request(method, params, { timeoutMs: AGENT_LIMITS.startMs });
    const ready = readyFrom(result, { agent: this.#options.spec.name, method, sessionId: this.#agentSessionId });
    this.#agentSessionId = ready.agentSessionId;
    return ready;
  }

  async prompt(params: AddUserMessageParams): Promise<void> {
    if (this.#turn !== undefined) {
      throw new SessionError(
        "SESSION_STATE",
        "The agent works on a prompt. Wait for its end, then hand over the next.",
        {
          sessionId: this.#options.sessionId,
        },
      );
    }
    const turn = new AgentTurn(params, this.#events);
    this.#turn = turn;
    const onResult = () => {
      turn.accept();
      this.#settle(turn);
    };
    try {
      await this.#request(METHODS.addUserMessage.name, { ...params }, { id: turn.requestId, onResult });
    } catch (error) {
      if (this.#turn === turn) this.#turn = undefined;
      throw error;
    }
  }

  async interrupt(): Promise<void> {
    this.#turn?.interrupted();
    await this.#request(METHODS.interruptSession.name, {});
  }

  async call(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Record<string, unknown>> {
    const result = await this.#request(method, params, { timeoutMs });
    this.#handover.noteAnswer(result);
    return typeof result === "object" && result !== null ? { ...result } : {};
  }

  setPaused(paused: boolean): void {
    if (this.#process.state !== "sweeping" && this.#process.state !== "gone") this.#transport.setPaused(paused);
  }

  stop(): Promise<AgentExit> {
    this.#isStopping = true;
    this.#transport.close();
    return this.#process.stop();
  }

  /** An agent that does not read, or closed its stdout, is of no use: it is ended, and its end is unexpected. */
  #giveUp(): void {
    this.#isStopping = true;
    void this.#process.stop("broken");
  }

  /** Every call names the session as the agent knows it. A link that ended means a process that ended. */
  async #request(
    method: string,
    params: object,
    options: { id?: string; timeoutMs?: number; onResult?: () => void } = {},
  ): Promise<unknown> {
    try {
      return await this.#engine.requestNamed(method, { ...params, sessionId: this.#agentSessionId }, options);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      throw exitError(this.#options.spec.name, await this.#process.gone, error);
    }
  }

  #notified({ method, params, meta }: InboundNotification): void {
    if (method !== "session_notification" || !isSessionNotificationParams(params)) {
      this.#logger.debug({ method }, "The agent sent something that is no session notification; ignored.");
      return;
    }
    const { notification } = params;
    this.#follow(params);
    const turn = this.#turn;
    const isEnd = turn !== undefined && !this.#isIdleOfClosedStdin(notification) && turn.observe(notification);
    if (!isEnd && this.#isNews(notification)) this.#pass(notification, meta);
    turn?.report();
    if (turn !== undefined) this.#settle(turn);
  }

  /** The agent may go on in another conversation: calls, and the next start, name that one. */
  #follow(params: SessionNotificationParams): void {
    const id = this.#handover.newIdIn(params, this.#agentSessionId);
    if (id === undefined) return;
    this.#logger.info({}, "The agent goes on in another conversation of its own.");
    this.#agentSessionId = id;
    this.#events.onConversation(id);
  }

  /**
   * `droid exec` says idle when its stdin ends, in the middle of a turn, and works on
   * (docs/wire/agent-stdio.md#oddities).
   */
  #isIdleOfClosedStdin(notification: SessionNotification): boolean {
    return this.#isStopping && notification.type === "droid_working_state_changed";
  }

  /** Whether the daemon does not say it itself: it ends turns in its own words, and says idle after them. */
  #isNews(notification: SessionNotification): boolean {
    if (notification.type === "agent_turn_completed") return false;
    if (notification.type !== "droid_working_state_changed" || notification.newState !== "idle") return true;
    return this.#turn === undefined && this.#workingState !== "idle";
  }

  #pass(notification: SessionNotification, meta: EnvelopeMeta | undefined): void {
    if (notification.type === "droid_working_state_changed") this.#workingState = String(notification.newState);
    const namesItself = notification.sessionId === this.#agentSessionId;
    const passed = namesItself ? { ...notification, sessionId: this.#options.sessionId } : notification;
    this.#events.onNotification(passed, meta);
  }

  #settle(turn: AgentTurn): void {
    if (!turn.isDone || this.#turn !== turn) return;
    this.#turn = undefined;
    this.#workingState = "idle";
  }

  #asked({ id, method, params }: InboundRequest): unknown {
    if (method !== "request_permission" && method !== "ask_user") {
      throw new RpcFault(RpcCode.methodNotFound, `Method not found: ${method}`);
    }
    const list = method === "request_permission" ? "toolUses" : "questions";
    if (!Array.isArray(params[list])) throw new RpcFault(RpcCode.invalidParams, `params.${list} must be an array`);
    this.#events.onRequest({
      id,
      method,
      params: { ...params, sessionId: this.#options.sessionId },
      respond: (result) => void this.#engine.respond(id, { ...result, sessionId: this.#agentSessionId }),
    });
    return NO_ANSWER;
  }

  /** An agent without a session accepts a prompt and refuses it in a second response: no end would ever come. */
  #strayed(response: ResponseEnvelope): void {
    const turn = this.#turn;
    if (turn === undefined || response.id !== turn.requestId || !isFailure(response)) return;
    turn.fail("error", { message: response.error.message, rpcCode: response.error.code });
    this.#settle(turn);
  }

  #exited(exit: AgentExit): void {
    const { exitCode, signal, expected } = exit;
    const message = describeExit(this.#options.spec.name, exit);
    this.#turn?.fail("agent_exited", { exitCode, signal, message });
    this.#turn = undefined;
    if (!expected) this.#logger.warn({ exitCode, signal, counters: this.counters }, message);
    this.#events.onExit(exit);
  }
}

/** The error of calls that got no answer because the agent died. */
function exitError(agent: string, exit: AgentExit, cause: Error): ProcessExitError {
  const stderr = exit.stderr === "" ? "It wrote nothing to stderr." : `Its last words on stderr:\n${exit.stderr}`;
  return new ProcessExitError(`${describeExit(agent, exit)} ${stderr}`, { ...exit, cause });
}

function describeExit(agent: string, { exitCode, signal, expected }: AgentExit): string {
  if (expected) return `Agent "${agent}" was stopped.`;
  return `Agent "${agent}" ended by itself, ${signal === null ? `with exit code ${exitCode}` : `killed by ${signal}`}.`;
}
