import { withoutUndefined } from "../../base/index.js";
import { isKnownNotification } from "../notification-guards.js";
import type {
  HookExecutionCompleted,
  HookExecutionStarted,
  KnownSessionNotification,
  SessionNotification,
  SessionNotificationFields,
  ToolProgressUpdate,
} from "../notifications.js";
import type { AskUserParams, RequestPermissionParams } from "../requests.js";
import type { MessageBlock, SessionMessage } from "../values.js";
import type { BridgedEvent, DefaultEvent, HookEvent, TextDeltaEvent } from "./events.js";

// Facts of the wire: docs/wire/session.md#stream-messages, docs/wire/session.md#partial-messages

type HookOutcome = Pick<HookEvent, "status" | "exitCode" | "stdout" | "stderr" | "command" | "timeout">;

/** Options of {@link MessageBridge}. */
export interface MessageBridgeOptions {
  /** Also make every `PartialEvent`: deltas, progress, states, usage and more. Default false. */
  includePartialMessages?: boolean;
}

/**
 * Turns the notifications of one turn into stream events.
 *
 * Works over a socket and over an agent's stdio alike, because it reads no method names. A notification of an unknown type, or
 * with fields that do not fit its type, becomes no event. A message or a tool result that is received twice becomes one event.
 */
export class MessageBridge {
  readonly #partial: boolean;
  readonly #toolNames = new Map<string, string>();
  readonly #seenMessages = new Set<string>();
  readonly #seenResults = new Set<string>();

  constructor(options: MessageBridgeOptions = {}) {
    this.#partial = options.includePartialMessages ?? false;
  }

  /** Events of one notification, in order; most notifications have one, some none. */
  push(notification: SessionNotification): BridgedEvent[] {
    if (!isKnownNotification(notification)) return [];
    switch (notification.type) {
      // First, because nearly all notifications are deltas. A literal, because the parser makes a new string of each `type`, with
      // which every later comparison would be letter by letter.
      case "assistant_text_delta":
        return this.#partial ? [textEvent("assistant_text_delta", notification)] : [];
      case "thinking_text_delta":
        return this.#partial ? [textEvent("thinking_text_delta", notification)] : [];
      case "create_message":
        return this.#message(notification.message);
      case "tool_result":
        return this.#toolResult(notification);
      case "hook_execution_started":
        return startedHooks(notification);
      case "hook_execution_completed":
        return completedHooks(notification);
      case "error": {
        const { message, errorType, timestamp } = notification;
        return [{ type: "error", message, errorType, ...timeOf(timestamp) }];
      }
      case "session_notice":
        return [{ ...notification }];
      case "request_opened":
        return openedRequest(notification);
      case "tool_call":
        this.#toolNames.set(notification.toolUse.id, notification.toolUse.name);
        return this.#partial ? [{ type: "tool_call_delta", toolUse: notification.toolUse }] : [];
      default:
        return this.#partial ? partialEvents(notification) : [];
    }
  }

  /** Whether that message was received. */
  hasSeen(messageId: string): boolean {
    return this.#seenMessages.has(messageId);
  }

  #message(message: SessionMessage): DefaultEvent[] {
    // Notifications may arrive twice (docs/wire/session.md#order-of-a-turn).
    if (this.#seenMessages.has(message.id)) return [];
    this.#seenMessages.add(message.id);
    if (message.role === "user") return [{ type: "user", message }];
    if (message.role !== "assistant") return [];
    const events: DefaultEvent[] = [];
    for (const block of message.content) {
      if (block.type !== "tool_use") continue;
      this.#toolNames.set(block.id, block.name);
      events.push({ type: "tool_call", name: block.name, toolUse: block });
    }
    events.push({ type: "assistant", message, text: textOf(message.content) });
    return events;
  }

  #toolResult(notification: { toolUseId: string; content?: unknown; isError?: boolean }): DefaultEvent[] {
    const { toolUseId, content, isError } = notification;
    // An interrupt while a permission is pending causes two results for one use (docs/wire/agent-stdio.md#turn-end); the
    // first counts.
    if (this.#seenResults.has(toolUseId)) return [];
    this.#seenResults.add(toolUseId);
    return [
      {
        type: "tool_result",
        toolUseId,
        toolName: this.#toolNames.get(toolUseId) ?? "",
        content: typeof content === "string" || Array.isArray(content) ? content : "",
        isError: isError ?? false,
      },
    ];
  }
}

/** Text blocks of a message, joined. */
export function textOf(content: readonly MessageBlock[]): string {
  let text = "";
  for (const block of content) if (block.type === "text") text += block.text;
  return text;
}

/** A time of the wire, which is ISO 8601, in ms. Empty for what is no time. */
function timeOf(timestamp: string): { timestamp?: number } {
  const ms = Date.parse(timestamp);
  return Number.isNaN(ms) ? {} : { timestamp: ms };
}

function textEvent<Type extends "assistant_text_delta" | "thinking_text_delta">(
  type: Type,
  { messageId, blockIndex, textDelta }: { messageId: string; blockIndex: number; textDelta: string },
): TextDeltaEvent<Type> {
  return { type, messageId, blockIndex, text: textDelta };
}

function toolProgress({
  toolUseId,
  toolName,
  update,
}: SessionNotificationFields["tool_progress_update"]): BridgedEvent {
  return { type: "tool_progress", toolUseId, toolName, content: progressText(update), update };
}

function partialEvents(notification: KnownSessionNotification): BridgedEvent[] {
  switch (notification.type) {
    case "droid_working_state_changed":
      return [{ type: "working_state_changed", state: notification.newState }];
    case "session_token_usage_changed":
      return [{ type: "token_usage_update", ...notification.tokenUsage }];
    case "mission_heartbeat":
      return [{ type: "mission_heartbeat", ...timeOf(notification.timestamp) }];
    case "tool_progress_update":
      return [toolProgress(notification)];
    case "assistant_text_complete":
    case "thinking_text_complete":
    case "assistant_message_retracted":
    case "permission_resolved":
    case "ask_user_resolved":
    case "settings_updated":
    case "session_title_updated":
    case "mcp_status_changed":
    case "mcp_auth_required":
    case "mcp_auth_completed":
    case "mission_state_changed":
    case "mission_features_changed":
    case "mission_progress_entry":
    case "mission_worker_started":
    case "mission_worker_completed":
    case "llm_retry":
    case "tool_execution_phase_changed":
    case "plan_changed":
    case "commands_changed":
    case "context_usage_changed":
    case "tool_call_details":
    case "agent_update":
    case "agent_state_changed":
      // Same name and fields on the wire and in the stream. A copy, because the event gets a position.
      return [{ ...notification }];
    default:
      return [];
  }
}

function progressText(update: ToolProgressUpdate): string {
  return update.text ?? update.status ?? update.details ?? "";
}

/** A request of a kind that this version does not know becomes no event. */
function openedRequest({ requestId, method, params }: SessionNotificationFields["request_opened"]): BridgedEvent[] {
  const type = "request_opened" as const;
  if (method === "request_permission" && Array.isArray(params.toolUses) && Array.isArray(params.options))
    return [{ type, requestId, method: "request_permission", params: params as unknown as RequestPermissionParams }];
  if (method === "ask_user" && Array.isArray(params.questions))
    return [{ type, requestId, method: "ask_user", params: params as unknown as AskUserParams }];
  return [];
}

function startedHooks(notification: HookExecutionStarted): HookEvent[] {
  return notification.hookCommands.map((command) => hookEvent(notification, { ...command, status: "started" }));
}

function completedHooks(notification: HookExecutionCompleted): HookEvent[] {
  const { hookResults = [], hookStatus: status } = notification;
  const results = hookResults.length === 0 ? [{}] : hookResults;
  return results.map((result) => hookEvent(notification, { ...result, status }));
}

function hookEvent(
  notification: HookExecutionStarted | HookExecutionCompleted,
  { status, exitCode, stdout, stderr, command, timeout }: HookOutcome,
): HookEvent {
  const { hookId, hookEventName: eventName, hookMatcher: matcher, hookToolCallId: toolCallId } = notification;
  const of = { type: "hook" as const, hookId, eventName, matcher, toolCallId };
  return withoutUndefined({ ...of, status, exitCode, stdout, stderr, command, timeout });
}
