import {
  type AddMcpServerParams,
  type CompactSessionResult,
  type ContextBreakdownResult,
  type ExecuteRewindParams,
  type ExecuteRewindResult,
  type GetSessionMessagesParams,
  type GetSessionMessagesResult,
  type GitDiffParams,
  type GitDiffResult,
  type ListFilesParams,
  type ListFilesResult,
  type ListMcpServersResult,
  type McpTool,
  METHODS,
  type NewSessionResult,
  type RewindInfoResult,
  type SettingsParams,
  type Skill,
} from "@daemon-sdk/protocol";
import type { AskUserReply, AskUserRequest, PermissionAnswer, PermissionRequest } from "../base/index.js";
import type { DaemonClient } from "../session/index.js";
import { type ArchivedSession, archivedSession } from "./session-lists.js";
import { checkSettings, requireText } from "./session-options.js";

/**
 * The calls of a session's handle that concern no turn: its settings, copies, conversation, directory, tools and pending requests. The
 * daemon answers them; the handle keeps nothing for them.
 */
export abstract class CallsByHandle {
  /** The session's calls as the wire has them. Throws where the handle has ended. */
  abstract get client(): DaemonClient;

  /**
   * Changes settings from the next model call on. Resolves at the acknowledgement; the notification `settings_updated` has the
   * outcome.
   */
  async updateSettings(settings: SettingsParams): Promise<void> {
    checkSettings(settings);
    await this.client.updateSessionSettings(settings);
  }

  /** Sets the title. */
  async rename(title: string): Promise<void> {
    requireText("title", title);
    await this.client.renameSession({ title });
  }

  /** Copies the session. Resume the new id to use the copy; this session continues. */
  async fork(options: { title?: string } = {}): Promise<NewSessionResult> {
    return this.client.forkSession(options);
  }

  /** Makes a new session that starts from a summary of this one, which continues. May take minutes. */
  async compact(options: { customInstructions?: string } = {}): Promise<CompactSessionResult> {
    return this.client.compactSession(options);
  }

  /** Which files a rewind to that message could restore or would delete. */
  async getRewindInfo(messageId: string): Promise<RewindInfoResult> {
    return this.client.getRewindInfo({ messageId });
  }

  /** Makes a new session that ends before that message, with files restored as requested; this session continues. */
  async executeRewind(params: Omit<ExecuteRewindParams, "sessionId">): Promise<ExecuteRewindResult> {
    return this.client.executeRewind(params);
  }

  /** What fills the context window. */
  async getContextBreakdown(): Promise<ContextBreakdownResult> {
    return this.client.getContextBreakdown();
  }

  /** A page of the conversation; at most 100 messages, 20 by default. */
  async getMessages(page: Omit<GetSessionMessagesParams, "sessionId"> = {}): Promise<GetSessionMessagesResult> {
    return this.client.call(METHODS.getSessionMessages, page);
  }

  /** The files below the session's directory, as far as git does not ignore them; of a large one not all. */
  listFiles(options: Omit<ListFilesParams, "sessionId"> = {}): Promise<ListFilesResult> {
    return this.client.call(METHODS.listFiles, options);
  }

  /** What was changed in the session's directory: commits since the base branch, and what is not committed. */
  getGitDiff(options: Omit<GitDiffParams, "sessionId"> = {}): Promise<GitDiffResult> {
    return this.client.call(METHODS.getGitDiff, options);
  }

  /** Removes the session from the lists. It can still be resumed. */
  async archive(): Promise<ArchivedSession> {
    return archivedSession(await this.client.call(METHODS.archiveSession, {}));
  }

  /** Skills of the agent. */
  async listSkills(): Promise<Skill[]> {
    return (await this.client.listSkills()).skills;
  }

  /** Adds an MCP server to the user's settings. */
  async addMcpServer(server: Omit<AddMcpServerParams, "sessionId">): Promise<void> {
    await this.client.addMcpServer(server);
  }

  /** Removes an MCP server from the user's settings. */
  async removeMcpServer(serverName: string): Promise<void> {
    await this.client.removeMcpServer({ serverName, settingsLevel: "user" });
  }

  /** Switches an MCP server on or off. */
  async toggleMcpServer(serverName: string, enabled: boolean): Promise<void> {
    await this.client.toggleMcpServer({ serverName, enabled, settingsLevel: "user" });
  }

  /** Logs in to an MCP server; waits up to 300 s for a person. The notification `mcp_auth_required` has the address. */
  async authenticateMcpServer(serverName: string): Promise<void> {
    await this.client.authenticateMcpServer({ serverName });
  }

  /** MCP servers of the session and their state. */
  async listMcpServers(): Promise<ListMcpServersResult> {
    return this.client.listMcpServers();
  }

  /** Tools of the session's MCP servers. */
  async listMcpTools(): Promise<McpTool[]> {
    return (await this.client.listMcpTools()).tools;
  }

  /** Permission requests that wait for an answer, including requests from before this handle. */
  getPendingPermissionRequests(): PermissionRequest[] {
    return this.client.getPendingPermissionRequests();
  }

  /**
   * Answers a waiting permission request. Throws REQUEST_NOT_PENDING when the request was answered, an `InvalidOptionError` for
   * an option that the request does not offer.
   */
  async respondToPermission(requestId: string, answer: PermissionAnswer): Promise<void> {
    this.client.respondToPermission(requestId, answer);
  }

  /** Questions that wait for an answer, including questions from before this handle. */
  getPendingAskUserRequests(): AskUserRequest[] {
    return this.client.getPendingAskUserRequests();
  }

  /** Answers a waiting question. Throws REQUEST_NOT_PENDING when the question was answered. */
  async respondToAskUser(requestId: string, reply: AskUserReply): Promise<void> {
    this.client.respondToAskUser(requestId, reply);
  }
}
