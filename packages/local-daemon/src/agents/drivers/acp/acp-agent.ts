import {
  type AddUserMessageParams,
  ConnectionError,
  isRecord,
  type Logger,
  ProtocolError,
  RpcCode,
  type SessionId,
  type SessionNotification,
  type TraceContext,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../../limits/index.js";
import { LOCAL_DAEMON_VERSION } from "../../../version.js";
import type { Agent, AgentEvents, AgentExit, AgentReady, AgentSpec, AgentStart } from "../../agent.js";
import type { AgentProcess } from "../../agent-process.js";
import { loginOf } from "../../presets.js";
import { exitError, exitText } from "../process-errors.js";
import { reportUnread } from "../report-unread.js";
import { sparingLogger } from "../sparing-logger.js";
import { StdioTransport } from "../stdio-transport.js";
import { AgentQuestions } from "./agent-questions.js";
import { askingMode } from "./asking-mode.js";
import { ClientServices, type StartCommand } from "./client-services/index.js";
import { ConversationOpener, type OpenedConversation } from "./conversation-opener.js";
import { type AcpCall, type AcpRequest, JsonRpcPeer } from "./json-rpc-peer.js";
import { promptContent } from "./prompt-content.js";
import { type UpdateReader, UpdateReaders } from "./readers/index.js";
import { SessionCalls } from "./session-calls.js";
import { SessionOptions } from "./session-options.js";
import { TextNotices } from "./text-notices.js";
import { TurnKeeper } from "./turn-keeper.js";

/** What an {@link AcpAgent} drives, and where its events go. */
export interface AcpAgentOptions {
  readonly spec: Pick<
    AgentSpec,
    "name" | "command" | "fs" | "mode" | "model" | "protocolVersion" | "startTimeoutMs" | "terminal"
  >;
  readonly process: Pick<
    AgentProcess,
    "pid" | "startTime" | "stdin" | "stdout" | "stderr" | "dead" | "gone" | "state" | "stop"
  >;
  /** Id of the session as clients know it. */
  readonly sessionId: SessionId;
  readonly events: AgentEvents;
  readonly logger: Logger;
  /** Starts the commands of the agent's terminals, where `terminal` is configured. Absent: no terminals are offered. */
  readonly startCommand?: StartCommand | undefined;
  /** A directory whose files are closed to the agent's calls, where `fs` is configured: the daemon's own. */
  readonly closedDirectory?: string | undefined;
  /** Wall clock in ms; default `Date.now`. */
  readonly now?: () => number;
}

/**
 * An agent that speaks the Agent Client Protocol, version 1 or 2 (docs/wire/acp.md). One process holds one session.
 *
 * The driver reads the lines itself and maps them in their order. The version is the one that the agent answers to `initialize`.
 */
export class AcpAgent implements Agent {
  readonly pid: number;
  readonly startTime: string;

  readonly #options: AcpAgentOptions;
  readonly #events: AgentEvents;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #transport: StdioTransport;
  readonly #peer: JsonRpcPeer;
  readonly #opener: ConversationOpener;
  readonly #questions: AgentQuestions;
  readonly #services: ClientServices;
  readonly #turns: TurnKeeper;
  readonly #readers: UpdateReaders;
  readonly #calls: SessionCalls;
  /** Resolves when the process is gone, and what it wrote is delivered. */
  readonly #gone: Promise<AgentExit>;
  #agentSessionId = "";
  #cwd = "";
  #sessionOptions = new SessionOptions();
  #textNotices = new TextNotices();
  /** False until the conversation is open: what an agent replays before is in the journal already. */
  #isOpen = false;

  constructor(options: AcpAgentOptions) {
    const { process, events, sessionId, spec, now = Date.now } = options;
    this.#options = options;
    this.#events = events;
    this.#now = now;
    this.#logger = sparingLogger(options.logger, { agent: spec.name, pid: process.pid, sessionId });
    this.pid = process.pid;
    this.startTime = process.startTime;
    this.#transport = new StdioTransport({
      input: process.stdout,
      output: process.stdin,
      logger: this.#logger,
      loopUse: `agent of session ${sessionId}`,
      maxUnread: AGENT_LIMITS,
    });
    this.#transport.onBroken = (error) => this.#giveUp(error);
    this.#peer = this.#makePeer();
    this.#transport.onBadLine = (error, head) => this.#peer.skip(error, head);
    this.#questions = new AgentQuestions({
      peer: this.#peer,
      events,
      turn: () => this.#turns.current,
      reader: () => this.#reader,
    });
    this.#services = this.#makeServices();
    this.#turns = this.#makeTurns();
    this.#opener = this.#makeOpener();
    this.#readers = this.#makeReaders();
    this.#calls = this.#makeCalls();
    void process.dead.then(() => this.#transport.setPaused(false));
    const rest = process.dead.then(() => this.#services.endTurn());
    this.#gone = Promise.all([process.gone, this.#transport.ended, rest]).then(([exit]) => {
      this.#exited(exit);
      return exit;
    });
  }

  async open(start: AgentStart): Promise<AgentReady> {
    try {
      const { resume } = start;
      const opened = await (resume === undefined ? this.#opener.create(start) : this.#bringBack(start, resume));
      return await this.#ready(start, opened);
    } catch (error) {
      throw await this.#startError(error);
    }
  }

  async prompt(params: AddUserMessageParams, trace?: TraceContext): Promise<void> {
    const about = await this.#opener.initialize();
    this.#turns.prompt(params, promptContent(params, about.prompt), trace);
  }

  interrupt(): Promise<void> {
    this.#turns.interrupt();
    return Promise.resolve();
  }

  call(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Record<string, unknown>> {
    return this.#calls.call(method, params, timeoutMs);
  }

  async forget(agentSessionId: string): Promise<boolean> {
    const { capabilities } = await this.#opener.initialize();
    const offers = isRecord(capabilities.sessionCapabilities) ? capabilities.sessionCapabilities : {};
    if (!offers.delete) return false;
    await this.#peer.call("session/delete", { sessionId: agentSessionId }, { timeoutMs: AGENT_LIMITS.startMs });
    return true;
  }

  setPaused(paused: boolean): void {
    const { state } = this.#options.process;
    if (state !== "sweeping" && state !== "gone") this.#transport.setPaused(paused);
  }

  stop(): Promise<AgentExit> {
    this.#transport.close();
    void this.#options.process.stop();
    return this.#gone;
  }

  get #reader(): UpdateReader {
    return this.#readers.of(this.#opener.about?.protocolVersion ?? 1);
  }

  async #bringBack(start: AgentStart, resume: string): Promise<OpenedConversation> {
    // Updates may name the session before the answer does.
    this.#agentSessionId = resume;
    try {
      return await this.#opener.bringBack(start, resume);
    } catch (error) {
      if (!ProtocolError.is(error, "METHOD_NOT_FOUND")) throw error;
      // It keeps no conversations.
      return { ...(await this.#opener.create(start)), hasForgotten: true };
    }
  }

  async #ready(start: AgentStart, opened: OpenedConversation): Promise<AgentReady> {
    const { spec } = this.#options;
    this.#agentSessionId = opened.agentSessionId;
    this.#cwd = start.cwd;
    this.#turns.countFrom(start.tokenUsage);
    this.#textNotices = new TextNotices(this.#opener.about?.name, opened.answer);
    this.#sessionOptions = SessionOptions.from(opened.answer);
    this.#isOpen = true;
    const options = this.#sessionOptions;
    const mode = askingMode(options, spec.mode, start.settings.autonomyLevel);
    const asked = { ...start.settings, agentOptions: start.params?.agentOptions };
    const settings = { ...(spec.model !== undefined && { modelId: spec.model }), ...asked };
    const calls = [...(mode === undefined ? [] : options.callForMode(mode)), ...options.callsFor(settings)];
    await this.#calls.apply(calls, AGENT_LIMITS.startMs);
    this.#reader.opened(opened.answer);
    this.#reportServers(opened.refusedServers);
    const version = this.#opener.about?.version;
    return {
      agentSessionId: opened.agentSessionId,
      settings: { ...start.settings, ...this.#settings() },
      ...(opened.hasForgotten === true && { hasForgotten: true }),
      ...(options.models.length > 0 && { availableModels: options.models }),
      ...(version !== undefined && { version }),
    };
  }

  #settings(): { modelId: string; reasoningEffort: string; agentOptions: SessionOptions["list"] } {
    const { modelId, reasoningEffort = "none", list } = this.#sessionOptions;
    return { modelId, reasoningEffort, agentOptions: list };
  }

  #reportServers(refused: readonly string[]): void {
    if (refused.length === 0) return;
    const servers = refused.map((name) => ({
      name,
      status: "failed",
      error: "The agent does not offer its transport.",
    }));
    const summary = { total: refused.length, connected: 0, connecting: 0, failed: refused.length };
    this.#events.onNotification({ type: "mcp_status_changed", servers, summary }, undefined);
  }

  #notified({ method, params }: AcpCall): void {
    if (method === "$/cancel_request") {
      this.#questions.withdraw(params.requestId);
      return;
    }
    if (method !== "session/update" || !isRecord(params.update)) {
      this.#logger.debug({ method }, "The agent sent a notification that is no update; dropped.");
      return;
    }
    const isOther = this.#isOpen && params.sessionId !== this.#agentSessionId;
    if (isOther) {
      this.#logger.debug({ conversation: params.sessionId }, "The agent sent an update of another session; dropped.");
      return;
    }
    this.#reader.read(params.update);
  }

  #asked(request: AcpRequest): void {
    if (this.#questions.ask(request) || this.#services.ask(request)) return;
    this.#peer.refuse(request.id, RpcCode.methodNotFound, `Method not found: ${request.method}`);
  }

  #notify(notification: SessionNotification): void {
    this.#events.onNotification(notification, undefined);
  }

  #exited(exit: AgentExit): void {
    const message = exitText(this.#options.spec.name, exit);
    const { exitCode, signal, expected } = exit;
    this.#turns.exited({ exitCode, signal, message });
    if (!expected) this.#logger.warn({ exitCode, signal, counters: this.#peer.counters }, message);
    this.#events.onExit(exit);
  }

  /** An agent that does not read, or does not obey, is of no use: it is ended, and its end is unexpected. */
  #giveUp(error?: Error): void {
    reportUnread(error, this.#options.spec.name, this.#events);
    void this.#options.process.stop("broken");
  }

  /** A lost pipe means a process that ended: its exit code and its stderr say why. */
  async #startError(error: unknown): Promise<unknown> {
    if (!(error instanceof ConnectionError)) return error;
    return exitError(this.#options.spec.name, await this.#options.process.gone, error);
  }

  #makePeer(): JsonRpcPeer {
    return new JsonRpcPeer({
      transport: this.#transport,
      logger: this.#logger,
      onNotification: (call) => this.#notified(call),
      onRequest: (request) => this.#asked(request),
      onFault: (fault) =>
        this.#events.onFault({ ...fault, message: `Agent "${this.#options.spec.name}": ${fault.message}` }),
      onClose: () => this.#giveUp(),
    });
  }

  #makeTurns(): TurnKeeper {
    const { events, sessionId } = this.#options;
    return new TurnKeeper({
      peer: this.#peer,
      questions: this.#questions,
      events,
      logger: this.#logger,
      sessionId,
      now: this.#now,
      agentSessionId: () => this.#agentSessionId,
      isEndedByAnswer: () => this.#opener.about?.protocolVersion !== 2,
      wayToLogIn: () => this.#opener.wayToLogIn,
      giveUp: () => this.#giveUp(),
      onEnd: () => void this.#services.endTurn(),
    });
  }

  #makeServices(): ClientServices {
    const { spec, closedDirectory, startCommand: start } = this.#options;
    const cwd = () => this.#cwd;
    const isInTurn = () => this.#turns.current !== undefined;
    const onOutput = (id: string, text: string) => this.#readers.terminalWrote(id, text);
    const hasTerminals = spec.terminal === true && start !== undefined;
    return new ClientServices({
      peer: this.#peer,
      files: spec.fs === true ? { cwd, closedDirectory } : undefined,
      terminals: hasTerminals ? { start, cwd, isInTurn, onOutput } : undefined,
      agentSessionId: () => this.#agentSessionId,
    });
  }

  #makeOpener(): ConversationOpener {
    const { spec, startCommand } = this.#options;
    return new ConversationOpener({
      peer: this.#peer,
      agent: spec.name,
      hasLogin: loginOf(spec) !== undefined,
      version: LOCAL_DAEMON_VERSION,
      protocolVersion: spec.protocolVersion ?? 1,
      offers: { fs: spec.fs === true, terminal: spec.terminal === true && startCommand !== undefined },
      timeoutMs: spec.startTimeoutMs ?? AGENT_LIMITS.startMs,
      logger: this.#logger,
      stderr: () => this.#options.process.stderr,
    });
  }

  #makeReaders(): UpdateReaders {
    return new UpdateReaders({
      writer: () => {
        if (!this.#isOpen) return undefined;
        this.#turns.current?.confirm();
        return this.#turns.writer;
      },
      turn: () => this.#turns.current,
      textNotices: () => this.#textNotices,
      options: () => this.#sessionOptions,
      onOptions: () => this.#notifyOptions(),
      notify: (notification) => this.#notify(notification),
      onPromptTaken: () => this.#turns.promptTaken(),
      onState: (update) => this.#turns.stateReported(update),
      now: this.#now,
    });
  }

  #makeCalls(): SessionCalls {
    return new SessionCalls({
      peer: this.#peer,
      report: this.#readers.report,
      about: () => this.#opener.about,
      agentSessionId: () => this.#agentSessionId,
      options: () => this.#sessionOptions,
      cwd: () => this.#cwd,
      onOptions: () => this.#notifyOptions(),
    });
  }

  #notifyOptions(): void {
    this.#notify({ type: "settings_updated", settings: this.#settings() });
  }
}
