import {
  type CallOptions,
  METHODS,
  type Method,
  type ParamsOf,
  type ResultOf,
  type SessionScoped,
} from "@daemon-sdk/protocol";

/** Params of a session call without the session's id, which is added here. */
export type SessionCallParams<M> = Omit<ParamsOf<M>, "sessionId">;

/** A method of the table that is about one session. */
export type SessionMethod = Method<SessionScoped, unknown>;

type Params<Name extends keyof typeof METHODS> = SessionCallParams<(typeof METHODS)[Name]>;
type Result<Name extends keyof typeof METHODS> = Promise<ResultOf<(typeof METHODS)[Name]>>;

/**
 * The wire's session methods under the names the original's `DaemonClient` has; params and results are the
 * wire's own. `initialize_session` and `load_session` are not among them: these two attach a session, and the others need one.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#session-calls
 */
export abstract class SessionCalls {
  /** Any method with session scope, by its value in the method table. */
  abstract call<M extends SessionMethod>(
    method: M,
    params: SessionCallParams<M>,
    options?: CallOptions,
  ): Promise<ResultOf<M>>;

  /** Resolves at the acknowledgement; notifications report the turn. */
  addUserMessage(params: Params<"addUserMessage">, options?: CallOptions): Result<"addUserMessage"> {
    return this.call(METHODS.addUserMessage, params, options);
  }

  /** Ends the session on the daemon; `reason` is sent as the original sends it. */
  closeSession(params: Params<"closeSession"> = { reason: "other" }): Result<"closeSession"> {
    return this.call(METHODS.closeSession, params);
  }

  /**
   * Interrupts the running turn, or only that of `messageId` where `turnInterrupt` is offered; acknowledged also when none runs.
   */
  interruptSession(params: Params<"interruptSession"> = {}, options?: CallOptions): Result<"interruptSession"> {
    return this.call(METHODS.interruptSession, params, options);
  }

  /** Flat fields; a nested `settings` object would be ignored by the daemon. */
  updateSessionSettings(params: Params<"updateSessionSettings">): Result<"updateSessionSettings"> {
    return this.call(METHODS.updateSessionSettings, params);
  }

  /** Waits up to 240 s, because a model reads the whole conversation. */
  compactSession(params: Params<"compactSession"> = {}): Result<"compactSession"> {
    return this.call(METHODS.compactSession, params);
  }

  /** Makes a new session; the old one continues. */
  forkSession(params: Params<"forkSession"> = {}): Result<"forkSession"> {
    return this.call(METHODS.forkSession, params);
  }

  /** What fills the context window. */
  getContextBreakdown(): Result<"getContextBreakdown"> {
    return this.call(METHODS.getContextBreakdown, {});
  }

  /** Sets the title. */
  renameSession(params: Params<"renameSession">): Result<"renameSession"> {
    return this.call(METHODS.renameSession, params);
  }

  /** Which files a rewind to a message could restore or would delete. */
  getRewindInfo(params: Params<"getRewindInfo">): Result<"getRewindInfo"> {
    return this.call(METHODS.getRewindInfo, params);
  }

  /** Makes a new session that ends before that message; the old one continues. */
  executeRewind(params: Params<"executeRewind">): Result<"executeRewind"> {
    return this.call(METHODS.executeRewind, params);
  }

  /** Adds an MCP server to the user's settings. */
  addMcpServer(params: Params<"addMcpServer">): Result<"addMcpServer"> {
    return this.call(METHODS.addMcpServer, params);
  }

  /** Removes an MCP server from the user's settings. */
  removeMcpServer(params: Params<"removeMcpServer">): Result<"removeMcpServer"> {
    return this.call(METHODS.removeMcpServer, params);
  }

  /** Switches an MCP server on or off. */
  toggleMcpServer(params: Params<"toggleMcpServer">): Result<"toggleMcpServer"> {
    return this.call(METHODS.toggleMcpServer, params);
  }

  /** MCP servers of the session and their state. */
  listMcpServers(): Result<"listMcpServers"> {
    return this.call(METHODS.listMcpServers, {});
  }

  /** Tools of the session's MCP servers. */
  listMcpTools(): Result<"listMcpTools"> {
    return this.call(METHODS.listMcpTools, {});
  }

  /** Waits up to 300 s, because a person logs in with a browser. */
  authenticateMcpServer(params: Params<"authenticateMcpServer">): Result<"authenticateMcpServer"> {
    return this.call(METHODS.authenticateMcpServer, params);
  }

  /** Skills of the agent. */
  listSkills(): Result<"listSkills"> {
    return this.call(METHODS.listSkills, {});
  }
}
