import {
  type AddUserMessageParams,
  type ContextBreakdownResult,
  type ExecuteRewindParams,
  type InboundRequest,
  NO_ANSWER,
  type NoAnswer,
  newId,
  type ProtocolEngine,
  RpcCode,
  RpcFault,
} from "@daemon-sdk/protocol";
import { Workspace } from "../workspace/index.js";
import { AgentSession } from "./agent-session.js";
import { Conversation, MODEL } from "./conversation.js";
import type { ConversationStore } from "./conversation-store.js";
import { FileHistory } from "./file-history.js";
import { addConfiguredServers, addServer, listServers, removeServer, toggleServer } from "./mcp-servers.js";
import { optionalTextParam, type RawParams, recordsParam, textParam } from "./params.js";
import type { SessionOutput } from "./session-output.js";
import { applySettings } from "./settings.js";

/** Parts of {@link SessionMethods}. */
export interface SessionMethodsParts {
  readonly engine: ProtocolEngine;
  readonly output: SessionOutput;
  readonly store: ConversationStore;
  /** Directory that the file tools do not enter. */
  readonly closed: string | undefined;
  /** Called after `close_session` was answered: the process can exit. */
  onClosed(): void;
}

/** Context size in tokens that the agent reports. No behaviour depends on it. */
const CONTEXT_BUDGET = 200_000;

type Handler = (params: RawParams, request: InboundRequest) => unknown;

/**
 * The methods that an agent implements (docs/wire/session.md#methods,
 * docs/wire/agent-stdio.md#faults).
 */
export class SessionMethods {
  readonly #parts: SessionMethodsParts;
  #session: AgentSession | undefined;
  /** Set while a session is being opened. Later requests wait for it, because they need the session. */
  #opening: Promise<unknown> | undefined;

  readonly #handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ["initialize_session", (params, { id }) => this.#whileOpening(this.#initialize(params, id))],
    ["load_session", (params) => this.#whileOpening(this.#load(params))],
    ["add_user_message", (params, { id }) => this.#addUserMessage(params, id)],
    ["interrupt_session", (params) => this.#open(params).interrupt()],
    ["close_session", (params, { id }) => this.#close(params, id)],
    ["delete_session", (params) => this.#parts.store.delete(textParam(params, "sessionId"))],
    ["update_session_settings", (params, { id }) => this.#updateSettings(params, id)],
    ["rename_session", (params, { id }) => this.#rename(params, id)],
    [
      "fork_session",
      (params) => this.#saveNew(this.#open(params).conversation.fork(optionalTextParam(params, "title"))),
    ],
    ["compact_session", (params) => this.#compact(params)],
    ["get_context_breakdown", (params) => breakdownOf(this.#open(params).conversation)],
    ["get_rewind_info", (params) => this.#open(params).history.infoSince(this.#messagesFrom(params))],
    ["execute_rewind", (params) => this.#rewind(params)],
    ["add_mcp_server", (params) => this.#changeServers(params, addServer)],
    ["remove_mcp_server", (params) => this.#changeServers(params, removeServer)],
    ["toggle_mcp_server", (params) => this.#changeServers(params, toggleServer)],
    ["list_mcp_servers", (params) => listServers(this.#open(params).conversation.data)],
    ["list_mcp_tools", (params) => this.#open(params) && { tools: [] }],
    ["list_skills", (params) => this.#open(params) && { skills: [] }],
  ]);

  constructor(parts: SessionMethodsParts) {
    this.#parts = parts;
  }

  /** Answers one request of the daemon; the `onRequest` of the engine. */
  handle(request: InboundRequest): unknown {
    const handler = this.#handlers.get(request.method);
    if (handler === undefined) throw new RpcFault(RpcCode.methodNotFound, `Method not found: ${request.method}`);
    const answer = () => handler(request.params, request) ?? {};
    return this.#opening === undefined ? answer() : this.#opening.then(answer);
  }

  /** Stops the running turn before the process exits. */
  end(): void {
    this.#session?.interrupt();
  }

  #whileOpening(opening: Promise<object>): Promise<object> {
    const settled = opening
      .catch(() => {})
      .then(() => {
        this.#opening = undefined;
      });
    this.#opening = settled;
    return opening;
  }

  async #initialize(params: RawParams, requestId: string): Promise<object> {
    const id = optionalTextParam(params, "sessionId") ?? newId();
    // A repeated id is answered with the same session (docs/wire/session.md#start-of-a-session).
    if (this.#session?.conversation.id === id) return this.#snapshot(this.#session);
    const cwd = textParam(params, "cwd");
    const session = await this.#begin(Conversation.create(id, cwd), new FileHistory(), cwd);
    const { data } = session.conversation;
    applySettings(data.settings, params);
    addConfiguredServers(data, params);
    this.#parts.output.tell({ type: "mcp_status_changed", ...listServers(data) });
    this.#parts.output.tell({ type: "settings_updated", requestId, settings: { ...data.settings } });
    return { sessionId: id, ...this.#snapshot(session), availableModels: [MODEL] };
  }

  async #load(params: RawParams): Promise<object> {
    const id = textParam(params, "sessionId");
    if (this.#session?.conversation.id === id) return this.#snapshot(this.#session);
    const saved = await this.#parts.store.load(id);
    if (saved === undefined) throw new RpcFault(RpcCode.entityNotFound, "Session not found", { sessionId: id });
    const cwd = optionalTextParam(params, "cwd") ?? saved.conversation.data.cwd;
    const session = await this.#begin(saved.conversation, saved.history, cwd);
    addConfiguredServers(session.conversation.data, params);
    return this.#snapshot(session);
  }

  /** One process holds one session. */
  async #begin(conversation: Conversation, history: FileHistory, cwd: string): Promise<AgentSession> {
    if (this.#session !== undefined) {
      throw new RpcFault(RpcCode.internalError, "This process serves another session. Start one process per session.");
    }
    const workspace = await Workspace.open(cwd, this.#parts.closed).catch(() => {
      throw new RpcFault(RpcCode.internalError, `The working directory ${cwd} does not exist, or cannot be read.`);
    });
    conversation.data.cwd = workspace.root;
    this.#session = new AgentSession({ ...this.#parts, conversation, history, workspace });
    return this.#session;
  }

  /** The common part of the results of both opening methods (docs/wire/session.md#load-of-a-session). */
  #snapshot({ conversation: { data }, isBusy }: AgentSession): object {
    return {
      session: { messages: data.messages, ...(data.title !== undefined && { title: data.title }) },
      settings: data.settings,
      cwd: data.cwd,
      mcpServers: listServers(data).servers,
      tokenUsage: data.tokenUsage,
      isAgentLoopInProgress: isBusy,
    };
  }

  /** The session that the params name; also if they name none. Else answers -32004. */
  #open(params: RawParams): AgentSession {
    const named = optionalTextParam(params, "sessionId");
    const session = this.#session;
    if (session === undefined || (named !== undefined && named !== session.conversation.id)) {
      throw new RpcFault(RpcCode.entityNotFound, "Session not found", { sessionId: named });
    }
    return session;
  }

  #addUserMessage(params: RawParams, requestId: string): NoAnswer {
    const session = this.#open(params);
    const text = textParam(params, "text");
    const messageId = optionalTextParam(params, "messageId") ?? newId();
    recordsParam(params, "images");
    recordsParam(params, "files");
    // Answered here, so that the acknowledgement precedes the notifications of the turn.
    this.#parts.engine.respond(requestId, {});
    const known = params as unknown as AddUserMessageParams;
    session.add({ params: { ...known, text }, messageId, requestId });
    return NO_ANSWER;
  }

  async #close(params: RawParams, requestId: string): Promise<NoAnswer> {
    const session = this.#open(params);
    session.interrupt();
    await session.save();
    this.#parts.engine.respond(requestId, {});
    this.#parts.onClosed();
    return NO_ANSWER;
  }

  async #updateSettings(params: RawParams, requestId: string): Promise<object> {
    const session = this.#open(params);
    const { settings } = session.conversation.data;
    applySettings(settings, params);
    this.#parts.output.tell({ type: "settings_updated", requestId, settings: { ...settings } });
    await session.save();
    return {};
  }

  async #rename(params: RawParams, requestId: string): Promise<object> {
    const session = this.#open(params);
    const title = textParam(params, "title");
    session.conversation.data.title = title;
    this.#parts.output.tell({ type: "session_title_updated", requestId, title, updateType: "user" });
    await session.save();
    return { success: true };
  }

  async #compact(params: RawParams): Promise<object> {
    const { conversation } = this.#open(params);
    const compacted = conversation.compact(optionalTextParam(params, "customInstructions"));
    return { ...(await this.#saveNew(compacted)), removedCount: conversation.data.messages.length };
  }

  async #rewind(params: RawParams): Promise<object> {
    const { conversation, history, workspace } = this.#open(params);
    const messageIds = this.#messagesFrom(params);
    recordsParam(params, "filesToRestore");
    recordsParam(params, "filesToDelete");
    const counts = await history.rewind(messageIds, params as unknown as ExecuteRewindParams, workspace);
    const fork = conversation.fork(textParam(params, "forkTitle"), textParam(params, "messageId"));
    return { ...(await this.#saveNew(fork)), ...counts };
  }

  /** Stores the new session of fork, compact or rewind. The caller loads it in another process. */
  async #saveNew(conversation: Conversation): Promise<{ newSessionId: string }> {
    await this.#parts.store.save(conversation);
    return { newSessionId: conversation.id };
  }

  /** Ids of the messages from the named one on; answers -32602 when there is none of that id. */
  #messagesFrom(params: RawParams): string[] {
    const { messages } = this.#open(params).conversation.data;
    const messageId = textParam(params, "messageId");
    const ids = messages.map(({ id }) => id);
    if (!ids.includes(messageId)) throw new RpcFault(RpcCode.invalidParams, `There is no message ${messageId}.`);
    return ids.slice(ids.indexOf(messageId));
  }

  async #changeServers(
    params: RawParams,
    change: (data: Conversation["data"], params: RawParams) => void,
  ): Promise<object> {
    const session = this.#open(params);
    change(session.conversation.data, params);
    this.#parts.output.tell({ type: "mcp_status_changed", ...listServers(session.conversation.data) });
    await session.save();
    return { success: true };
  }
}

function breakdownOf(conversation: Conversation): ContextBreakdownResult {
  const usedTokens = conversation.contextTokens;
  return {
    modelId: conversation.data.settings.modelId,
    modelDisplayName: MODEL.displayName,
    contextBudget: CONTEXT_BUDGET,
    usedTokens,
    freeTokens: Math.max(0, CONTEXT_BUDGET - usedTokens),
    categories: [{ name: "Messages", tokens: usedTokens, colorKey: "messages" }],
    skills: [],
    mcpServers: listServers(conversation.data).servers,
    droids: [],
  };
}
