import type {
  AddUserMessageParams,
  AskUserAnswer,
  AvailableModel,
  EnvelopeMeta,
  McpServerConfig,
  SessionId,
  SessionNotification,
  SessionSettings,
  SettingsParams,
  TokenUsage,
  TraceContext,
} from "@daemon-sdk/protocol";

/** How an agent is started and spoken to, as configured under its name. */
export interface AgentSpec {
  readonly name: string;
  /** Program and arguments; never a shell line. */
  readonly command: readonly [string, ...string[]];
  /**
   * How it speaks. `stream-jsonrpc`: newline-separated session envelopes with the prefix `droid.`. `relay`: it
   * connects to the daemon by itself as a client of the relay; it can be spawned, and holds no session. `acp`: the Agent
   * Client Protocol, on its stdin and stdout.
   */
  readonly driver: "stream-jsonrpc" | "relay" | "acp";
  /** Driver `acp`: the mode to set before the first prompt, such as `plan`. Default: one that asks, where the agent has one. */
  readonly mode?: string | undefined;
  /** Driver `acp`: the model of sessions that name none. Default: the agent's own. */
  readonly model?: string | undefined;
  /** Driver `acp`: the version of the protocol to ask for; default 1. The agent's answer decides. Version 2 is a draft. */
  readonly protocolVersion?: 1 | 2 | undefined;
  /** Driver `acp`: whether the agent may read and write files through the daemon, in the session's directory only. Default false. */
  readonly fs?: boolean | undefined;
  /** Driver `acp`: whether the agent may have commands run by the daemon, which end with their turn. Default false. */
  readonly terminal?: boolean | undefined;
  /** How long the agent may take to open a conversation, in ms; default 30 000. */
  readonly startTimeoutMs?: number | undefined;
  /** Directory in which the program is started; default the session's. The session's own is told to the agent in any case. */
  readonly cwd?: string | undefined;
  /** Most processes of this agent that start or run. */
  readonly maxLive?: number | undefined;
  /** Names of variables of the daemon's environment that it gets beside the allow-list, or values of its own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly inheritEnv?: readonly string[] | undefined;
  /** Names of variables that a client may set for its session. Default none. */
  readonly allowEnv?: readonly string[] | undefined;
  /** Driver `stream-jsonrpc`: whether the agent has `delete_session` (docs/agents.md). An agent of ACP says so itself. */
  readonly deletesSessions?: boolean | undefined;
}

/** What an agent is asked to open. */
export interface AgentStart {
  readonly sessionId: SessionId;
  /** Set to bring back a conversation the agent had before; absent for a new one. */
  readonly resume?: string;
  readonly cwd: string;
  /** What a client asked for, and nothing else: the agent has its own defaults. */
  readonly settings: SettingsParams;
  /** Further params of `initialize_session`, which the daemon does not know. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly mcpServers?: readonly McpServerConfig[];
  /** What the session has spent until now. */
  readonly tokenUsage?: TokenUsage;
}

/** What an agent said when it was ready. */
export interface AgentReady {
  readonly agentSessionId: string;
  readonly settings: SessionSettings;
  /** True when the agent did not have the conversation that it was to resume, and began a new one. */
  readonly hasForgotten?: boolean;
  readonly availableModels?: readonly AvailableModel[];
  /** Version of the agent's program, where it states one. */
  readonly version?: string;
}

/** How an agent's process ended. */
export interface AgentExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines it wrote to stderr, for people; may be empty. */
  readonly stderr: string;
  /** True when we asked it to stop. */
  readonly expected: boolean;
}

/** A request of an agent to its user; the answer goes back through `respond`, once. */
export interface AgentRequest {
  readonly id: string;
  readonly method: "request_permission" | "ask_user";
  readonly params: Record<string, unknown>;
  /** Sends the answer; the second call and calls after the agent's end do nothing. */
  respond(result: Record<string, unknown>): void;
  /** Answers with an error instead: nobody is asked. `message` goes to the agent as it is. */
  refuse(message: string): void;
}

/** Something that an agent sent, and that could not be taken as it was; or that it does not read what is sent to it. */
export interface AgentFault {
  readonly code: "MESSAGE_TOO_LARGE" | "PROTOCOL_VIOLATION" | "QUEUE_FULL" | "QUOTA_EXCEEDED" | "SLOW_CONSUMER";
  /** For people: which agent, what, and how much. */
  readonly message: string;
  /** Whether something is missing now that clients would have been sent. */
  readonly isLoss: boolean;
}

/** The answer that cancels a request, by method: given when no client can or will answer. */
export const CANCEL_ANSWERS = {
  request_permission: { selectedOption: "cancel" },
  ask_user: { cancelled: true, answers: [] as AskUserAnswer[] },
} as const satisfies Record<AgentRequest["method"], Record<string, unknown>>;

/**
 * Receives what an agent says. Called in the order the agent wrote; never inside a call into {@link Agent}.
 *
 * `onTurnEnded` is called exactly once for each prompt that was accepted, whether the agent says so by
 * `agent_turn_completed`, by falling back to idle, or by dying; those notifications are not passed on by themselves.
 */
export interface AgentEvents {
  /** @param json of the notification, where the agent's own text of it is at hand and is that of a text delta */
  onNotification(notification: SessionNotification, meta: EnvelopeMeta | undefined, json?: string): void;
  onRequest(request: AgentRequest): void;
  /** The agent sent what could not be taken, or is ended because it does not read. Called in its place among the others, and not for each line of a flood. */
  onFault(fault: AgentFault): void;
  /** The agent goes on in a conversation with another id of its own: that one is to be resumed. */
  onConversation(agentSessionId: string): void;
  /** The agent confirmed that it works on the prompt. */
  onTurnStarted(): void;
  onTurnEnded(end: AgentTurnEnd): void;
  onExit(exit: AgentExit): void;
}

/** How a turn ended; `details` holds what the agent said beside the reason (usage, duration). */
export interface AgentTurnEnd {
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A running agent that serves one session. One prompt at a time. */
export interface Agent {
  readonly pid: number;
  /** Start time as the kernel states it; with the pid it names the process for ever. */
  readonly startTime: string;
  /** Opens or brings back the conversation. Rejects with a `ProcessExitError`, a `ProtocolError` or a `TimeoutError`. */
  open(start: AgentStart): Promise<AgentReady>;
  /**
   * Hands over one prompt; resolves when the agent acknowledged it.
   *
   * @param trace the trace that the agent's work belongs to
   */
  prompt(params: AddUserMessageParams, trace?: TraceContext): Promise<void>;
  /** Asks the agent to end its turn; the end itself comes through `onTurnEnded`. */
  interrupt(): Promise<void>;
  /** Any other session method, passed through under the agent's prefix. Rejects with a `ProtocolError` as the agent said it. */
  call(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Record<string, unknown>>;
  /**
   * Deletes a conversation that is not open, by the agent's own id; {@link open} need not have been called. Resolves to false when
   * the agent cannot. Absent: no agent of this kind can.
   */
  forget?(agentSessionId: string): Promise<boolean>;
  /** Stops or restarts reading the agent's output; its pipe fills and it waits. */
  setPaused(paused: boolean): void;
  /** Ends the process: end of stdin, then SIGTERM, then SIGKILL, each to the whole group. Resolves when it is gone. */
  stop(): Promise<AgentExit>;
}

/** A running program that speaks for itself: it connects to the relay, and only its end is ours. */
export interface AgentProgram {
  readonly pid: number;
  /** As of {@link Agent}. */
  readonly startTime: string;
  /** Resolves once, when nothing of it is left. Never rejects. */
  readonly gone: Promise<AgentExit>;
  /** Writes to its stdin. False when the program takes no more: it has ended, is about to, or has not read what waits. */
  write(text: string): boolean;
  /** As of {@link Agent}. */
  stop(): Promise<AgentExit>;
}

/** Starts agents. Sessions and the relay's SPAWN use the same one. */
export interface AgentSpawner {
  /** Starts the process. Rejects with a `ProcessExitError` (`PROCESS_START_FAILED`) when there is no such program. */
  spawn(spec: AgentSpec, sessionId: SessionId, cwd: string, events: AgentEvents): Promise<Agent>;
  /**
   * Starts a program of the driver `relay`; rejects as {@link spawn} does. What it writes on stdout is thrown away.
   *
   * @param sessionId names the process among the daemon's, so that nothing of it is left behind; there is no such session
   */
  launch(spec: AgentSpec, sessionId: SessionId, cwd: string): Promise<AgentProgram>;
}
