import { isRecord, type Logger, ProtocolError, SessionError, SessionNotFoundError } from "@daemon-sdk/protocol";
import type { AgentStart } from "../../agent.js";
import { startFailure } from "../process-errors.js";
import {
  type AcpVersion,
  type AgentAbout,
  type ClientOffers,
  initializeParams,
  isVersionRefused,
  readAbout,
  versionMismatch,
} from "./handshake.js";
import type { JsonRpcPeer } from "./json-rpc-peer.js";
import { acpMcpServers } from "./mcp-servers.js";
import { isAuthRequired } from "./turn-end.js";

/** Options of {@link ConversationOpener}. */
export interface ConversationOpenerOptions {
  readonly peer: JsonRpcPeer;
  readonly agent: string;
  /** Whether `local-daemon agents login` knows how a person logs in to it. */
  readonly hasLogin: boolean;
  /** Version of this package, for the agent's log. */
  readonly version: string;
  /** Version of the protocol to ask for. The agent may answer with a lower one. */
  readonly protocolVersion: AcpVersion;
  readonly offers: ClientOffers;
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** What the agent has written to stderr. */
  stderr(): string;
}

/** An opened conversation. */
export interface OpenedConversation {
  readonly agentSessionId: string;
  /** The agent's answer, which lists modes, models and options. */
  readonly answer: unknown;
  /** MCP servers that the agent cannot start. */
  readonly refusedServers: readonly string[];
  /** As of `AgentReady`. */
  readonly hasForgotten?: boolean;
}

/** The first calls on an agent: `initialize`, then a new conversation or a known one (docs/wire/acp.md#opening). */
export class ConversationOpener {
  readonly #options: ConversationOpenerOptions;
  #about: AgentAbout | undefined;

  constructor(options: ConversationOpenerOptions) {
    this.#options = options;
  }

  /** What the agent offers; undefined before {@link initialize}. */
  get about(): AgentAbout | undefined {
    return this.#about;
  }

  /** How a person logs in to the agent, as sentences. */
  get wayToLogIn(): string {
    const names = (this.#about?.authMethods ?? []).flatMap((method) =>
      isRecord(method) && typeof method.name === "string" ? [method.name] : [],
    );
    const ways = names.length === 0 ? "" : ` It offers: ${names.join(", ")}.`;
    const { agent, hasLogin } = this.#options;
    const way = hasLogin ? `Run \`local-daemon agents login ${agent}\`` : "Log in with the agent's own command";
    return `${way}, then send again.${ways}`;
  }

  /** Rejects with `VERSION_MISMATCH` when the agent speaks no version of ours. A second call returns the first answer. */
  async initialize(): Promise<AgentAbout> {
    if (this.#about !== undefined) return this.#about;
    const { agent, protocolVersion: asked, version, offers } = this.#options;
    const answer = await this.#call("initialize", initializeParams(asked, version, offers)).catch((error: unknown) => {
      throw isVersionRefused(error) ? versionMismatch(agent, asked, error) : error;
    });
    const about = readAbout(answer);
    if (about === undefined) throw versionMismatch(agent, asked, answer);
    this.#about = about;
    return about;
  }

  async create({ cwd, mcpServers = [] }: AgentStart): Promise<OpenedConversation> {
    const { capabilities, protocolVersion } = await this.initialize();
    const { servers, refused } = acpMcpServers(mcpServers, capabilities, protocolVersion);
    const answer = await this.#call("session/new", { cwd, mcpServers: servers });
    if (!isRecord(answer) || typeof answer.sessionId !== "string") {
      const message = `Agent "${this.#options.agent}" answered session/new without a \`sessionId\`.`;
      throw new ProtocolError("INVALID_RESULT", message);
    }
    return { agentSessionId: answer.sessionId, answer, refusedServers: refused };
  }

  /**
   * Brings back a conversation. Rejects with a `SessionNotFoundError` when the agent does not, whatever code it gives, and with
   * METHOD_NOT_FOUND when the agent keeps no conversations.
   */
  async bringBack({ cwd, mcpServers = [] }: AgentStart, resume: string): Promise<OpenedConversation> {
    const { capabilities, protocolVersion } = await this.initialize();
    const method = resumeMethod(capabilities);
    if (method === undefined) throw new ProtocolError("METHOD_NOT_FOUND", "The agent keeps no conversations.");
    const { servers, refused } = acpMcpServers(mcpServers, capabilities, protocolVersion);
    try {
      const answer = await this.#call(method, { sessionId: resume, cwd, mcpServers: servers });
      return { agentSessionId: resume, answer, refusedServers: refused };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.logger.warn({ error: error.message }, "The agent could not bring back the conversation.");
      throw new SessionNotFoundError(resume, { cause: error });
    }
  }

  async #call(method: string, params: object): Promise<unknown> {
    try {
      return await this.#options.peer.call(method, params, { timeoutMs: this.#options.timeoutMs });
    } catch (error) {
      if (isAuthRequired(error)) throw this.#loginRequired(error);
      const { agent, timeoutMs, peer, stderr } = this.#options;
      throw startFailure(error, { agent, method, timeoutMs, excerpt: peer.excerpt, stderr: stderr() });
    }
  }

  #loginRequired(cause: unknown): SessionError {
    const message = `Agent "${this.#options.agent}" is not logged in. ${this.wayToLogIn}`;
    return new SessionError("AGENT_LOGIN_REQUIRED", message, { cause });
  }
}

/** `resume` repeats no history and so comes first. */
function resumeMethod({ sessionCapabilities, loadSession }: AgentAbout["capabilities"]): string | undefined {
  if (isRecord(sessionCapabilities) && sessionCapabilities.resume) return "session/resume";
  return loadSession === true ? "session/load" : undefined;
}
