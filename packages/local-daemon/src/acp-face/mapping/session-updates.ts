import type { PlanEntry, SessionUpdate } from "@agentclientprotocol/sdk";
import {
  isKnownNotification,
  type KnownSessionNotification,
  type MessageBlock,
  newId,
  type SessionMessage,
  type SessionNotification,
  type SessionNotificationType,
} from "@daemon-sdk/protocol";
import { contentBlock, recordsOf, resultText, textBlock } from "./content.js";
import type { SessionChoices } from "./session-choices.js";
import { ToolView } from "./tool-view.js";

/** Options of {@link SessionUpdates}. */
export interface SessionUpdatesOptions {
  readonly choices: SessionChoices;
  /** Whether the editor shows notices and compactions; the protocol forbids them otherwise. */
  readonly notices: boolean;
  readonly compaction: boolean;
  /** Leave out what belongs to turns that other clients began. */
  readonly ownTurnsOnly: boolean;
  /** Whether this editor sent the message of that id. */
  isOwn(messageId: string): boolean;
}

type Of<Type extends SessionNotificationType> = Extract<KnownSessionNotification, { type: Type }>;
type Readers = { readonly [Type in SessionNotificationType]?: (notification: Of<Type>) => SessionUpdate[] };
type ChunkKind = "user_message_chunk" | "agent_message_chunk" | "agent_thought_chunk";

/** What belongs to the turn under way; the rest is about the session. */
const OF_TURNS: ReadonlySet<string> = new Set<SessionNotificationType>([
  "create_message",
  "assistant_text_delta",
  "thinking_text_delta",
  "assistant_message_retracted",
  "tool_call",
  "tool_call_details",
  "tool_execution_phase_changed",
  "tool_progress_update",
  "tool_result",
  "plan_changed",
  "error",
  "llm_retry",
]);

/**
 * The notifications of one session as updates of ACP, in their order. Pure but for what it remembers of the turn: which messages came
 * in deltas, and each tool call as the editor has it.
 */
export class SessionUpdates {
  readonly #options: SessionUpdatesOptions;
  /** Messages and their kinds of text that came in deltas; the whole message follows. */
  readonly #streamed = new Set<string>();
  readonly #tools = new Map<string, ToolView>();
  readonly #readers: Readers = { ...this.#ofTurns(), ...this.#ofSession() };
  #turnId: string | undefined;
  #compactionId: string | undefined;

  constructor(options: SessionUpdatesOptions) {
    this.#options = options;
  }

  /** Id of the message whose turn is under way, as far as its entries were read. */
  get turnId(): string | undefined {
    return this.#turnId;
  }

  /** Whether the turn under way is one whose content the editor is not sent. */
  get isHidden(): boolean {
    const { ownTurnsOnly, isOwn } = this.#options;
    return ownTurnsOnly && this.#turnId !== undefined && !isOwn(this.#turnId);
  }

  read(notification: SessionNotification): SessionUpdate[] {
    if (!isKnownNotification(notification)) return [];
    if (notification.type === "create_message" && notification.message.role === "user") {
      this.#turnId = notification.message.id;
    }
    if (this.isHidden && OF_TURNS.has(notification.type)) return [];
    const reader = this.#readers[notification.type] as ((one: SessionNotification) => SessionUpdate[]) | undefined;
    return reader?.(notification) ?? [];
  }

  /** An entry of the turn that ran when the session was loaded: the editor has nothing of it, not even its own message. */
  replay(notification: SessionNotification): SessionUpdate[] {
    const isKnown = isKnownNotification(notification) && notification.type === "create_message";
    if (!isKnown || notification.message.role !== "user") return this.read(notification);
    this.#turnId = notification.message.id;
    return this.#user(notification.message);
  }

  /** A message of the conversation's history. */
  history(message: SessionMessage): SessionUpdate[] {
    if (message.role === "user") return this.#user(message);
    if (message.role === "assistant") return this.#assistant(message);
    return recordsOf(message.content).flatMap((block) =>
      block.type === "tool_result" && typeof block.toolUseId === "string"
        ? this.#tool(block.toolUseId).ended(resultText(block.content), block.isError === true)
        : [],
    );
  }

  /** The history ends: a tool of it that has no result never gets one. */
  historyEnded(): SessionUpdate[] {
    return this.#closeTools();
  }

  /** What a turn says and does. */
  #ofTurns(): Readers {
    return {
      assistant_text_delta: ({ messageId, textDelta }) => this.#delta("agent_message_chunk", messageId, textDelta),
      thinking_text_delta: ({ messageId, textDelta }) => this.#delta("agent_thought_chunk", messageId, textDelta),
      create_message: ({ message }) => this.#message(message),
      assistant_message_retracted: () =>
        this.#notice("warning", "The last message was retracted", "Its stream broke; the model writes it again."),
      tool_call: ({ toolUse: { id, name, input } }) => this.#tool(id, name).input(name, input),
      tool_call_details: (details) => this.#tool(details.toolUseId).details(details),
      tool_execution_phase_changed: ({ toolUseId, toolName, phase }) =>
        phase === "executing" ? this.#tool(toolUseId, toolName).executing() : [],
      tool_progress_update: ({ toolUseId, toolName, update }) =>
        this.#tool(toolUseId, toolName).progress(update.text ?? ""),
      tool_result: ({ toolUseId, content, isError }) =>
        this.#tool(toolUseId).ended(resultText(content), isError === true),
      agent_turn_completed: () => this.#turnEnded(),
    };
  }

  /** What is about the session, and what people are told beside the conversation. */
  #ofSession(): Readers {
    return {
      plan_changed: ({ entries }) => [{ sessionUpdate: "plan", entries: entries.map(planEntry) }],
      commands_changed: ({ commands }) => [
        {
          sessionUpdate: "available_commands_update",
          availableCommands: commands.map(({ name, description, hint }) => ({
            ...{ name, description },
            ...(hint !== undefined && { input: { hint } }),
          })),
        },
      ],
      context_usage_changed: ({ usedTokens, contextTokens, cost }) => [
        { sessionUpdate: "usage_update", used: usedTokens, size: contextTokens, ...costOf(cost) },
      ],
      settings_updated: ({ settings }) => {
        this.#options.choices.merge(settings);
        return this.#options.choices.updates();
      },
      session_title_updated: ({ title }) => [{ sessionUpdate: "session_info_update", title }],
      session_notice: ({ message, code }) => this.#notice("warning", message, code === "AGENT_NOTICE" ? "" : code),
      error: ({ message, errorType }) => this.#notice("error", message, errorType),
      llm_retry: ({ attempt, reason }) => this.#notice("info", `The model is asked again (${attempt})`, reason),
      droid_working_state_changed: ({ newState }) => this.#state(newState),
      session_compacted: () => this.#compacted("completed"),
    };
  }

  #message(message: SessionMessage): SessionUpdate[] {
    if (message.visibility === "llm_only") return [];
    if (message.role === "user") return this.#options.isOwn(message.id) ? [] : this.#user(message);
    return message.role === "assistant" ? this.#assistant(message) : [];
  }

  #user({ id, content }: SessionMessage): SessionUpdate[] {
    return content.flatMap((block) => this.#chunk("user_message_chunk", id, block));
  }

  #assistant({ id, content }: SessionMessage): SessionUpdate[] {
    const updates = content.flatMap((block): SessionUpdate[] => {
      if (block.type === "tool_use") {
        return this.#tools.has(block.id) ? [] : this.#tool(block.id, block.name).input(block.name, block.input);
      }
      if (block.type === "thinking") {
        const text: MessageBlock = { type: "text", text: block.thinking };
        return this.#hasStreamed("agent_thought_chunk", id) ? [] : this.#chunk("agent_thought_chunk", id, text);
      }
      if (block.type === "text" && this.#hasStreamed("agent_message_chunk", id)) return [];
      return this.#chunk("agent_message_chunk", id, block);
    });
    for (const kind of ["agent_message_chunk", "agent_thought_chunk"]) this.#streamed.delete(`${kind} ${id}`);
    return updates;
  }

  #hasStreamed(kind: ChunkKind, messageId: string): boolean {
    return this.#streamed.has(`${kind} ${messageId}`);
  }

  #delta(sessionUpdate: ChunkKind, messageId: string, text: string): SessionUpdate[] {
    if (text === "") return [];
    this.#streamed.add(`${sessionUpdate} ${messageId}`);
    return [{ sessionUpdate, messageId, content: textBlock(text) }];
  }

  #chunk(sessionUpdate: ChunkKind, messageId: string, block: MessageBlock): SessionUpdate[] {
    const content = contentBlock(block);
    return content === undefined ? [] : [{ sessionUpdate, messageId, content }];
  }

  /** A tool that was never announced is announced by its first change. */
  #tool(id: string, name = "Tool"): ToolView {
    let tool = this.#tools.get(id);
    if (tool === undefined) {
      tool = new ToolView(id, name);
      this.#tools.set(id, tool);
    }
    return tool;
  }

  #state(state: string): SessionUpdate[] {
    if (state !== "compacting_conversation") return this.#compacted("cancelled");
    if (!this.#options.compaction || this.#compactionId !== undefined) return [];
    this.#compactionId = newId();
    return [{ sessionUpdate: "compaction_update", compactionId: this.#compactionId, status: "in_progress" }];
  }

  #compacted(status: "completed" | "cancelled"): SessionUpdate[] {
    const compactionId =
      this.#compactionId ?? (status === "completed" && this.#options.compaction ? newId() : undefined);
    this.#compactionId = undefined;
    return compactionId === undefined ? [] : [{ sessionUpdate: "compaction_update", compactionId, status }];
  }

  #notice(severity: "info" | "warning" | "error", title: string, description: string): SessionUpdate[] {
    if (!this.#options.notices) return [];
    return [{ sessionUpdate: "notice", severity, title, ...(description !== "" && { description }) }];
  }

  #turnEnded(): SessionUpdate[] {
    const updates = this.#closeTools();
    this.#streamed.clear();
    this.#turnId = undefined;
    return updates;
  }

  #closeTools(): SessionUpdate[] {
    const updates = [...this.#tools.values()].flatMap((tool) => tool.ended("", true));
    this.#tools.clear();
    return updates;
  }
}

const PRIORITIES: ReadonlySet<unknown> = new Set(["high", "medium", "low"]);
const STATUSES: ReadonlySet<unknown> = new Set(["pending", "in_progress", "completed"]);

/** The lists of version 1 are closed: a word that they do not have becomes the most neutral one. */
function planEntry({ content, status, priority }: { content: string; status: string; priority?: string }): PlanEntry {
  return {
    content,
    priority: (PRIORITIES.has(priority) ? priority : "medium") as PlanEntry["priority"],
    status: (STATUSES.has(status) ? status : "pending") as PlanEntry["status"],
  };
}

function costOf(cost: Record<string, unknown> | undefined): { cost?: { amount: number; currency: string } } {
  const { amount, currency } = cost ?? {};
  return typeof amount === "number" && typeof currency === "string" ? { cost: { amount, currency } } : {};
}
