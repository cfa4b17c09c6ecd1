import {
  type AutonomyLevel,
  type InteractionMode,
  InvalidOptionError,
  isPosition,
  type McpServerConfig,
  type ReasoningEffort,
  type SessionSource,
  type SettingsParams,
} from "@daemon-sdk/protocol";
import {
  checkBoolean,
  checkInteger,
  checkList,
  checkOneOf,
  checkSignal,
  checkText,
  type Handlers,
  requireObject,
} from "../base/index.js";
import { checkHandlers } from "../connection/index.js";
import type { EventPosition, SendOptions, StreamOptions } from "../stream/index.js";

/** Options of `createSession`. Those of the original SDK keep their names. */
export interface DaemonSessionOptions
  extends Omit<SettingsParams, "specModeModelId" | "specModeReasoningEffort">,
    Handlers {
  /** Working directory of the agent. Default `"."`: the daemon's own. */
  cwd?: string;
  /**
   * Id of the new session: a UUID or, with a daemon of ours, up to 128 letters, digits and `. _ : -`, such as the name of a thread.
   * The same id again gives the same session. Default: the daemon's choice.
   */
  sessionId?: string;
  specModeModelId?: string;
  specModeReasoningEffort?: ReasoningEffort;
  /** MCP servers the agent starts with. */
  mcpServers?: McpServerConfig[];
  /** Where the session comes from, for lists and statistics. */
  sessionSource?: SessionSource;
  /**
   * Name of a configured agent, on daemons that offer several (`connection.capabilities.agents`). Default: the first of them. The
   * daemon may find further agents later, and rejects a name that it does not have with INVALID_PARAMS.
   */
  agent?: string;
  /**
   * Variables of the agent's environment, such as a token of the caller's: of names that the agent's configuration allows
   * (`allowEnv`), where the daemon offers `sessionEnv`. The daemon keeps them in memory only; after its restart the session has a
   * notice with the code `SESSION_ENV_LOST`.
   */
  env?: Record<string, string>;
  /** For the agent's system prompt, in the form that the agent takes; droid's: `{ type: "preset", preset: "droid", append: "…" }`. */
  systemPrompt?: string | Record<string, unknown>;
  /** Replaces the agent's system prompt. */
  systemPromptOverride?: string;
  /** Whether the agent's built-in skills are left out. */
  disableBuiltinSkills?: boolean;
  /**
   * Further params of `initialize_session` that the agent takes and this package does not know, such as `missionSettings`. Params of
   * this package's own stand before them.
   */
  agentParams?: Record<string, unknown>;
  /** Stops waiting; the daemon may still make the session. */
  signal?: AbortSignal;
  /**
   * What the end of an `await using` block does with the handle: `"close"` ends the session in the daemon, `"detach"` keeps it
   * running. Default `"close"`.
   */
  onDispose?: "close" | "detach";
}

/** Options of `resumeSession`. */
export interface ResumeSessionOptions extends Handlers {
  /**
   * Another working directory from now on, such as for a session whose own is gone. Needs a daemon that offers `workspace`.
   * Rejected with SESSION_STATE while a turn runs or waits.
   */
  cwd?: string;
  mcpServers?: McpServerConfig[];
  /** Whether `session.history` holds the whole conversation, and not just its end. */
  loadAllMessages?: boolean;
  /**
   * What the end of an `await using` block does with the handle: `"close"` ends the session in the daemon, `"detach"` keeps it
   * running. Default `"close"`.
   */
  onDispose?: "close" | "detach";
  /** Stops waiting. */
  signal?: AbortSignal;
}

/** Options of `DaemonConnection.send`. */
export interface SendByIdOptions extends SendOptions {
  /**
   * Makes the session with these options where the daemon has none of that id, and opens it where it was closed. Messages that are
   * sent so keep the order of the calls.
   */
  create?: Omit<DaemonSessionOptions, "sessionId" | "onDispose" | keyof Handlers>;
}

/** Options of `DaemonConnection.interruptSession`. */
export interface InterruptOptions {
  /**
   * Interrupts only if the turn of this message runs; ends the message alone if it waits; has no effect otherwise. Needs a daemon
   * that offers `turnInterrupt`.
   */
  messageId?: string | undefined;
}

/** Options of `follow`. */
export interface FollowOptions {
  /** Yields the events after this one: `position` of an event, or of a snapshot. Default: the events from now on. */
  after?: EventPosition | undefined;
  /**
   * Yields only the events of this turn, which is named by the `messageId` of its prompt: from its beginning, unless `after` says
   * otherwise, also where it is over or has not begun. Ends after its `result`; at once for a message that the daemon does not know.
   * Needs a daemon that offers `turnEvents`.
   */
  turnId?: string | undefined;
  /** Also yield every `PartialEvent`: deltas, progress, states, usage and more. Default false. */
  includePartialMessages?: boolean;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
}

const AUTONOMY_LEVELS = ["off", "low", "medium", "high"] as const satisfies readonly AutonomyLevel[];
const INTERACTION_MODES = ["auto", "spec", "agi", "mission"] as const satisfies readonly InteractionMode[];
const REASONING_EFFORTS = [
  "none",
  "dynamic",
  "off",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
] as const satisfies readonly ReasoningEffort[];
const ENDINGS = ["close", "detach"] as const;
const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/**
 * Throws an `InvalidOptionError` for the first wrong setting: an agent ignores a wrong level without an error
 * (docs/wire/agent-stdio.md#oddities).
 */
export function checkSettings(settings: SettingsParams): void {
  requireObject("settings", settings);
  checkText("modelId", settings.modelId);
  checkOneOf("autonomyLevel", settings.autonomyLevel, AUTONOMY_LEVELS);
  checkOneOf("interactionMode", settings.interactionMode, INTERACTION_MODES);
  checkOneOf("reasoningEffort", settings.reasoningEffort, REASONING_EFFORTS);
  checkOneOf("specModeReasoningEffort", settings.specModeReasoningEffort, REASONING_EFFORTS, true);
  if (settings.specModeModelId !== null) checkText("specModeModelId", settings.specModeModelId);
  checkList("enabledToolIds", settings.enabledToolIds, "tool ids", checkText);
  checkList("disabledToolIds", settings.disabledToolIds, "tool ids", checkText);
  checkList("tags", settings.tags, "tags: { name, metadata? }", checkNamed);
  checkInteger("compactionTokenLimit", settings.compactionTokenLimit, 1);
  checkBoolean("compactionThresholdCheckEnabled", settings.compactionThresholdCheckEnabled);
}

/** Throws an `InvalidOptionError` for the first wrong option of `createSession`. */
export function checkSessionOptions(options: DaemonSessionOptions, agents: readonly string[] | undefined): void {
  requireObject("options", options);
  checkSettings(options);
  checkHandlers(options);
  checkText("cwd", options.cwd);
  checkText("sessionId", options.sessionId);
  checkList("mcpServers", options.mcpServers, "MCP servers, each with a name", checkNamed);
  if (options.sessionSource !== undefined) {
    const { platform } = requireObject("sessionSource", options.sessionSource);
    if (typeof platform !== "string") throw new InvalidOptionError("sessionSource.platform", "a string", platform);
  }
  if (typeof options.systemPrompt !== "string" && options.systemPrompt !== undefined) {
    requireObject("systemPrompt", options.systemPrompt);
  }
  checkText("systemPromptOverride", options.systemPromptOverride);
  checkOneOf("onDispose", options.onDispose, ENDINGS);
  checkBoolean("disableBuiltinSkills", options.disableBuiltinSkills);
  if (options.agentParams !== undefined) requireObject("agentParams", options.agentParams);
  checkText("agent", options.agent);
  // The daemon itself refuses a name that it does not have: it may find agents after it has sent its list.
  if (options.agent !== undefined && agents === undefined) {
    throw new InvalidOptionError("agent", "absent: this daemon offers no choice of agents", options.agent);
  }
  checkSignal("signal", options.signal);
}

/** Throws an `InvalidOptionError` for the first wrong option of `resumeSession`. */
export function checkResumeOptions(sessionId: string, options: ResumeSessionOptions): void {
  requireText("sessionId", sessionId);
  requireObject("options", options);
  checkHandlers(options);
  checkText("cwd", options.cwd);
  checkList("mcpServers", options.mcpServers, "MCP servers, each with a name", checkNamed);
  checkOneOf("onDispose", options.onDispose, ENDINGS);
  checkBoolean("loadAllMessages", options.loadAllMessages);
  checkSignal("signal", options.signal);
}

/** Throws an `InvalidOptionError` for a prompt that is not text, or for the first wrong option. */
export function checkPrompt(prompt: string, options: StreamOptions): void {
  requireObject("options", options);
  if (typeof prompt !== "string") throw new InvalidOptionError("prompt", "a string", prompt);
  checkText("messageId", options.messageId);
  checkList("images", options.images, "images", checkImage);
  checkList("files", options.files, "files", checkFile);
  const hasAttachment = (options.images ?? []).length + (options.files ?? []).length > 0;
  if (prompt.trim() === "" && !hasAttachment) {
    throw new InvalidOptionError("prompt", "a string that is not empty, unless images or files are attached");
  }
  checkBoolean("includePartialMessages", options.includePartialMessages);
  checkSignal("signal", options.signal);
  checkSignal("abortSignal", options.abortSignal);
  checkInteger("maxBufferedBytes", options.maxBufferedBytes, 1);
  checkInteger("timeoutMs", options.timeoutMs, 1);
  checkInteger("idleTimeoutMs", options.idleTimeoutMs, 1);
}

/** Throws an `InvalidOptionError` for the first wrong option of `follow`. */
export function checkFollowOptions(sessionId: string, options: FollowOptions): void {
  requireText("sessionId", sessionId);
  const { after, turnId, includePartialMessages, signal } = requireObject("options", options);
  checkText("turnId", turnId);
  if (after !== undefined && !isPosition(after)) {
    throw new InvalidOptionError("after", "the `position` of an event or of a snapshot", after);
  }
  checkBoolean("includePartialMessages", includePartialMessages);
  checkSignal("signal", signal);
}

/** Throws unless `value` is a string that is not blank. */
export function requireText(option: string, value: unknown): void {
  if (value === undefined) throw new InvalidOptionError(option, "a string that is not empty");
  checkText(option, value);
}

function checkNamed(option: string, item: unknown): void {
  requireText(`${option}.name`, requireObject(option, item).name);
}

function checkImage(option: string, item: unknown): void {
  const { type, data, mediaType } = requireObject(option, item);
  if (type !== "base64") throw new InvalidOptionError(`${option}.type`, '"base64"', type);
  if (typeof data !== "string") throw new InvalidOptionError(`${option}.data`, "base64 text", data);
  if (mediaType === undefined) throw new InvalidOptionError(`${option}.mediaType`, `one of ${IMAGE_TYPES.join(", ")}`);
  checkOneOf(`${option}.mediaType`, mediaType, IMAGE_TYPES);
}

function checkFile(option: string, item: unknown): void {
  const { type, data, mediaType } = requireObject(option, item);
  const isPdf = type === "base64" && mediaType === "application/pdf";
  if (!isPdf && !(type === "text" && mediaType === "text/plain")) {
    throw new InvalidOptionError(
      option,
      'a PDF { type: "base64", mediaType: "application/pdf" } or text { type: "text", mediaType: "text/plain" }',
    );
  }
  if (typeof data !== "string") throw new InvalidOptionError(`${option}.data`, "a string", data);
}
