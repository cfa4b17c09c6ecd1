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
  newId,
  ProtocolEngine,
  ProtocolError,
  type ResponseEnvelope,
  RpcCode,
  type RpcError,
  RpcFault,
  SessionError,
  type SessionId,
  type SessionNotification,
  type SessionNotificationParams,
  type TraceContext,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS, JOURNAL_LIMITS } from "../../limits/index.js";
import type { Agent, AgentEvents, AgentExit, AgentReady, AgentSpec, AgentStart } from "../agent.js";
import type { AgentProcess } from "../agent-process.js";
import { AgentTurn } from "./agent-turn.js";
import { ConversationHandover } from "./conversation-handover.js";
import { DeltaReader } from "./delta-reader.js";
import { maxBytesOfLine } from "./line-bounds.js";
import { changedSettings, initializeParams, loadParams, readyFrom, readyUnread } from "./open-session.js";
import { exitError, exitText, startFailure } from "./process-errors.js";
import { reportUnread } from "./report-unread.js";
import { sparingLogger } from "./sparing-logger.js";
import { StdioTransport } from "./stdio-transport.js";
import { contentIdOf } from "./turn-content.js";
import { UnreadLines } from "./unread-lines.js";

/** What a {@link StreamJsonrpcAgent} drives, and where its events go. */
export interface StreamJsonrpcAgentOptions {
  readonly spec: Pick<AgentSpec, "name" | "startTimeoutMs">;
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
  readonly #unread: UnreadLines;
  /** Resolves when the process is gone, and what it wrote is delivered. */
  readonly #gone: Promise<AgentExit>;
  /** Calls that wait for an answer. */
  readonly #calls = new Set<string>();
  /** The call that opens the conversation, while it waits. */
  #openingId: string | undefined;
  readonly #handover = new ConversationHandover();
  readonly #deltas = new DeltaReader();
  #agentSessionId: string;
  #turn: AgentTurn | undefined;
  /** The last turn that ended. */
  #pastTurn: AgentTurn | undefined;
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
    const { cutTextBytes } = JOURNAL_LIMITS;
    const loopUse = `agent of session ${sessionId}`;
    const pipes = { input: process.stdout, output: process.stdin, maxUnread: AGENT_LIMITS };
    this.#transport = new StdioTransport({ ...pipes, logger, cutTextBytes, maxBytesOf: maxBytesOfLine, loopUse });
    this.#transport.onBroken = (error) => this.#giveUp(error);
    this.#engine = new ProtocolEngine(this.#transport, { prefix: "droid", logger, decode: this.#deltas.decode });
    this.#engine.onNotification = (notification) => this.#notified(notification);
    this.#engine.onRequest = (request) => this.#asked(request);
    this.#engine.onStrayResponse = (response) => this.#strayed(response);
    this.#engine.onClose = () => this.#giveUp();
    this.#unread = new UnreadLines({
      agent: options.spec.name,
      transport: this.#transport,
      engine: this.#engine,
      openingId: () => this.#openingId,
      pendingIds: () => [...this.#calls],
      onFault: (fault) => this.#events.onFault(fault),
    });
    // The rest in a dead agent's pipe is little, and must be read, or the pipe never ends. (Node resumes the pipe by
    // itself then, and promises it nowhere.)
    void process.dead.then(() => this.#transport.setPaused(false));
    // What it wrote before its end is delivered before its end.
    this.#gone = Promise.all([process.gone, this.#transport.ended]).then(([exit]) => {
      this.#exited(exit);
      return exit;
    });
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
    const ready = await this.#loaded(start, resume);
    const changed = changedSettings(start.settings, ready.settings);
    if (changed === undefined) return ready;
    // The agent remembers its own settings; the daemon's are the ones that a person saw and chose.
    await this.#request(METHODS.updateSessionSettings.name, changed);
    return { ...ready, settings: { ...ready.settings, ...changed } };
  }

  /** An answer with more messages than can be read is an answer all the same: the daemon has the messages. */
  async #loaded(start: AgentStart, resume: string): Promise<AgentReady> {
    try {
      return await this.#openBy(METHODS.loadSession.name, loadParams(start));
    } catch (error) {
      if (!ProtocolError.is(error, "MESSAGE_TOO_LARGE")) throw error;
      this.#logger.info({}, "The agent answered load_session with more than can be read; the conversation is open.");
      // Its settings are not known, so it is given all that the person chose.
      if (Object.keys(start.settings).length > 0) {
        await this.#request(METHODS.updateSessionSettings.name, start.settings);
      }
      return readyUnread(start, resume);
    }
  }

  async #openBy(method: string, params: object): Promise<AgentReady> {
    const { name, startTimeoutMs: timeoutMs = AGENT_LIMITS.startMs } = this.#options.spec;
    const id = newId();
    this.#openingId = id;
    try {
      const result = await this.#request(method, params, { id, timeoutMs });
      const ready = readyFrom(result, { agent: name, method, sessionId: this.#agentSessionId });
      this.#agentSessionId = ready.agentSessionId;
      return ready;
    } catch (error) {
      const { excerpt } = this.#unread;
      throw startFailure(error, { agent: name, method, timeoutMs, excerpt, stderr: this.#process.stderr });
    } finally {
      this.#openingId = undefined;
    }
  }

  async prompt(params: AddUserMessageParams, trace?: TraceContext): Promise<void> {
    if (this.#turn !== undefined) {
      throw new SessionError(
        "SESSION_STATE",
        "The agent works on a prompt. Wait for its end, then hand over the next.",
        {
          sessionId: this.#options.sessionId,
        },
      );
    }
    const turn: AgentTurn = new AgentTurn(params, this.#events, () => this.#settle(turn));
    this.#turn = turn;
    const onResult = () => {
      turn.accept();
      this.#settle(turn);
    };
    try {
      await this.#request(
        METHODS.addUserMessage.name,
        { ...params },
        { id: turn.requestId, onResult, ...(trace && { trace }) },
      );
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

  async forget(agentSessionId: string): Promise<boolean> {
    try {
      this.#agentSessionId = agentSessionId;
      await this.#request(METHODS.deleteSession.name, {}, { timeoutMs: AGENT_LIMITS.startMs });
      return true;
    } catch (error) {
      if (ProtocolError.is(error, "METHOD_NOT_FOUND")) return false;
      throw error;
    }
  }

  setPaused(paused: boolean): void {
    if (this.#process.state !== "sweeping" && this.#process.state !== "gone") this.#transport.setPaused(paused);
  }

  stop(): Promise<AgentExit> {
    this.#isStopping = true;
    this.#transport.close();
    void this.#process.stop();
    return this.#gone;
  }

  /** An agent that does not read, or closed its stdout, is of no use: it is ended, and its end is unexpected. */
  #giveUp(error?: Error): void {
    reportUnread(error, this.#options.spec.name, this.#events);
    this.#isStopping = true;
    void this.#process.stop("broken");
  }

  /** Every call names the session as the agent knows it. A link that ended means a process that ended. */
  async #request(
    method: string,
    params: object,
    options: { id?: string; timeoutMs?: number; onResult?: () => void; trace?: TraceContext } = {},
  ): Promise<unknown> {
    const id = options.id ?? newId();
    this.#calls.add(id);
    try {
      return await this.#engine.requestNamed(
        method,
        { ...params, sessionId: this.#agentSessionId },
        { ...options, id },
      );
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      throw exitError(this.#options.spec.name, await this.#process.gone, error);
    } finally {
      this.#calls.delete(id);
    }
  }

  #notified({ method, params, meta, frame }: InboundNotification): void {
    if (method !== "session_notification" || !isSessionNotificationParams(params)) {
      this.#logger.debug({ method }, "The agent sent something that is no session notification; ignored.");
      return;
    }
    const { notification } = params;
    this.#follow(params);
    const turn = this.#turn;
    if (this.#isLate(notification)) {
      this.#late(notification.type);
      return;
    }
    const isEnd = turn !== undefined && !this.#isIdleOfClosedStdin(notification) && turn.observe(notification);
    if (!isEnd && this.#isNews(notification)) this.#pass(notification, meta, this.#deltas.jsonOf(frame));
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

  #pass(notification: SessionNotification, meta: EnvelopeMeta | undefined, json: string | undefined): void {
    if (notification.type === "droid_working_state_changed") this.#workingState = String(notification.newState);
    const namesItself = notification.sessionId === this.#agentSessionId;
    if (!namesItself) this.#events.onNotification(notification, meta, json);
    else this.#events.onNotification({ ...notification, sessionId: this.#options.sessionId }, meta);
  }

  /**
   * Whether a notification belongs to a turn that has ended: it continues a message of that turn, or the agent, which did not state
   * the end, has not shown that it works on the next prompt.
   */
  #isLate(notification: SessionNotification): boolean {
    const past = this.#pastTurn;
    if (past === undefined || contentIdOf(notification) === undefined) return false;
    if (past.content.isContinuedBy(notification)) return true;
    return !past.isEndStated && this.#turn?.isUntouched !== false;
  }

  #late(type: string): void {
    const message = `Agent "${this.#options.spec.name}" sent ${type} of a turn that had ended. It was dropped.`;
    this.#logger.warn({ type }, message);
    this.#events.onFault({ code: "PROTOCOL_VIOLATION", message, isLoss: false });
  }

  #settle(turn: AgentTurn): void {
    if (!turn.isDone || this.#turn !== turn) return;
    this.#pastTurn = turn;
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
      // No error object: a flood of requests is refused, and the trace of an error costs more than its refusal.
      refuse: (message) =>
        void this.#engine.refuse(id, {
          rpcCode: RpcCode.invalidParams,
          message,
          data: { code: "MESSAGE_TOO_LARGE" },
        }),
    });
    return NO_ANSWER;
  }

  /** A response that no call waits for, by its id. */
  #strayed(response: ResponseEnvelope): void {
    if (response.id === null && isFailure(response)) {
      this.#misunderstood(response.error);
      return;
    }
    // An agent without a session accepts a prompt and refuses it in a second response: no end would ever come.
    const turn = this.#turn;
    if (turn === undefined || response.id !== turn.requestId || !isFailure(response)) return;
    turn.fail("error", { message: response.error.message, rpcCode: response.error.code });
    this.#settle(turn);
  }

  /** The agent could not read a message of ours, so it cannot name it. Where one call waits, it was that one. */
  #misunderstood({ code: rpcCode, message }: RpcError): void {
    const [id, ...others] = this.#calls;
    if (id === undefined || others.length > 0) return;
    const text = `Agent "${this.#options.spec.name}" could not read a request: ${message} (code ${rpcCode}).`;
    this.#engine.abandon(id, new ProtocolError("REMOTE_ERROR", text, { rpcCode }));
  }

  #exited(exit: AgentExit): void {
    const { exitCode, signal, expected } = exit;
    const message = exitText(this.#options.spec.name, exit);
    this.#turn?.fail("agent_exited", { exitCode, signal, message });
    this.#turn = undefined;
    if (!expected) this.#logger.warn({ exitCode, signal, counters: this.counters }, message);
    this.#events.onExit(exit);
  }
}
