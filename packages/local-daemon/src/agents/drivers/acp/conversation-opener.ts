import { isRecord, type Logger, ProtocolError, SessionError, SessionNotFoundError } from "@daemon-sdk/protocol";
import type { AgentStart } from "../../agent.js";
import { startFailure } from "../process-errors.js";
import { textOf } from "./content.js";
import type { JsonRpcPeer } from "./json-rpc-peer.js";
import { acpMcpServers } from "./mcp-servers.js";
import { type PromptCapabilities, promptCapabilities } from "./prompt-content.js";
import { isAuthRequired } from "./turn-end.js";

/** The version that the driver speaks (docs/wire/acp.md#wire). */
const PROTOCOL_VERSION = 1;

/** What this side offers: questions and options, but no files and no terminals. The daemon is on the agent's machine. */
const CLIENT_CAPABILITIES = {
  fs: { readTextFile: false, writeTextFile: false },
  terminal: false,
  elicitation: { form: {} },
  session: { configOptions: { boolean: {} }, notices: {}, compaction: {} },
};

/** Options of {@link ConversationOpener}. */
export interface ConversationOpenerOptions {
  readonly peer: JsonRpcPeer;
  readonly agent: string;
  /** Whether `local-daemon agents login` knows how a person logs in to it. */
  readonly hasLogin: boolean;
  /** Version of this package, for the agent's log. */
  readonly version: string;
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

/** What the agent said of itself in `initialize`. */
export interface AgentAbout {
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly prompt: PromptCapabilities;
  readonly authMethods: readonly unknown[];
  /** What the agent's program calls itself, where it states that. */
  readonly name: string | undefined;
  /** Version of the agent's program, where it states one. */
  readonly version: string | undefined;
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

  /** Rejects with `VERSION_MISMATCH` when the agent does not speak our version. A second call returns the first answer. */
  async initialize(): Promise<AgentAbout> {
    if (this.#about !== undefined) return this.#about;
    const answer = await this.#call("initialize", {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: CLIENT_CAPABILITIES,
      clientInfo: { name: "daemon-sdk", title: "daemon-sdk", version: this.#options.version },
    });
    const read = isRecord(answer) ? answer : {};
    if (read.protocolVersion !== PROTOCOL_VERSION) {
      const theirs = String(read.protocolVersion);
      const message = `Agent "${this.#options.agent}" speaks version ${theirs} of the Agent Client Protocol, the daemon speaks ${PROTOCOL_VERSION}. Install a version of the agent that speaks ${PROTOCOL_VERSION}.`;
      throw new ProtocolError("VERSION_MISMATCH", message);
    }
    const capabilities = isRecord(read.agentCapabilities) ? read.agentCapabilities : {};
    const authMethods = Array.isArray(read.authMethods) ? read.authMethods : [];
    const info = isRecord(read.agentInfo) ? read.agentInfo : {};
    const [name, version] = [textOf(info.name), textOf(info.version)];
    this.#about = { capabilities, prompt: promptCapabilities(capabilities), authMethods, name, version };
    return this.#about;
  }

  async create({ cwd, mcpServers = [] }: AgentStart): Promise<OpenedConversation> {
    const { capabilities } = await this.initialize();
    const { servers, refused } = acpMcpServers(mcpServers, capabilities);
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
    const { capabilities } = await this.initialize();
    const method = resumeMethod(capabilities);
    if (method === undefined) throw new ProtocolError("METHOD_NOT_FOUND", "The agent keeps no conversations.");
    const { servers, refused } = acpMcpServers(mcpServers, capabilities);
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
