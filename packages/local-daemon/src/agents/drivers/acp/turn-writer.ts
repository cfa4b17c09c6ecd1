import type { MessageBlock, SessionNotification } from "@daemon-sdk/protocol";
import { AssistantMessage, type Emit } from "./assistant-message.js";
import { ToolCall } from "./tool-call.js";

/** Options of {@link TurnWriter}. */
export interface TurnWriterOptions {
  /** Id of the user's message, which is the turn's id; undefined for what an agent writes outside of a turn. */
  readonly turnId: string | undefined;
  readonly now: () => number;
  readonly emit: Emit;
}

/** The result of a tool that the agent left open. */
const NO_RESULT = "The agent reported no result.";
const CANCELLED = "Cancelled.";
/** The states in which a tool has its result. */
const ENDED: ReadonlySet<string | undefined> = new Set(["completed", "failed", "cancelled"]);

/**
 * Writes what an agent does in one turn as our notifications, in the order of docs/wire/agent-stdio.md#a-tool-turn, whatever
 * order the agent has: one open message, each tool announced before it runs, one result a tool.
 */
export class TurnWriter {
  readonly #options: TurnWriterOptions;
  readonly #tools = new Map<string, ToolCall>();
  /** Ids of our messages by the agent's id of theirs, for those that have begun in this turn. */
  readonly #idsOf = new Map<string, string[]>();
  #message: AssistantMessage | undefined;
  /** The agent's id of the open message; a change of it begins a new message. */
  #agentMessageId: string | undefined;
  #state = "idle";
  /** Ids of our messages that hold text or thinking, and were not retracted. */
  readonly #messages = new Set<string>();
  /** Those of the model's present call: what it wrote since the last tool. */
  #callMessages: string[] = [];

  constructor(options: TurnWriterOptions) {
    this.#options = options;
  }

  /** Whether the agent wrote a text or used a tool. */
  get hasContent(): boolean {
    return this.#tools.size > 0 || this.#messages.size > 0;
  }

  text(text: string, agentMessageId: string | undefined): void {
    if (text === "") return;
    this.state("streaming_assistant_message");
    this.#open(agentMessageId).text(text);
  }

  thinking(text: string, agentMessageId: string | undefined): void {
    if (text === "") return;
    this.state("thinking");
    this.#open(agentMessageId).thinking(text);
  }

  block(block: MessageBlock, agentMessageId: string | undefined): void {
    this.state("streaming_assistant_message");
    this.#open(agentMessageId).block(block);
  }

  /** States what the agent does, when that has changed. */
  state(newState: string): void {
    if (this.#state === newState) return;
    this.#state = newState;
    this.#emit({ type: "droid_working_state_changed", newState });
  }

  /** Takes a tool call or an update of one; unknown ids are announced. */
  tool(update: Readonly<Record<string, unknown>>): ToolCall {
    const tool = this.#toolOf(String(update.toolCallId));
    if (tool.state === "ended") {
      tool.merge(update);
      this.#details(tool);
      return tool;
    }
    const isChanged = tool.merge(update);
    if (tool.state === "new") this.#announce(tool);
    else if (isChanged) this.#emit({ type: "tool_call", toolUse: tool.toolUse });
    if (tool.status === "in_progress" && tool.hasInput) this.#execute(tool);
    this.#progress(tool, update);
    this.#details(tool);
    if (ENDED.has(tool.status)) {
      const isCancelled = tool.status === "cancelled";
      this.#result(tool, tool.result || (isCancelled ? CANCELLED : ""), tool.status !== "completed");
    }
    return tool;
  }

  /** Takes output of a tool call; of one that this turn does not have, nothing is written. */
  toolOutput(update: Readonly<Record<string, unknown>>): void {
    if (this.#tools.has(String(update.toolCallId))) this.tool(update);
  }

  /** A person is asked about the tool: its input is final. */
  toolAsked(update: Readonly<Record<string, unknown>>): ToolCall {
    const tool = this.tool({ ...update, status: undefined });
    this.#writeUse(tool);
    this.state("waiting_for_tool_confirmation");
    return tool;
  }

  /** The person has answered. */
  toolAnswered(): void {
    this.state("executing_tool");
  }

  /** Content of a tool call as the agent has described it until now. */
  toolContent(toolCallId: string): readonly Record<string, unknown>[] {
    return this.#tools.get(toolCallId)?.content ?? [];
  }

  /** Takes back what the model wrote since the last tool: it is asked again. */
  retract(): void {
    this.#message = undefined;
    this.#retract(this.#callMessages);
    this.#callMessages = [];
  }

  /** Takes back one message of the agent: another text takes its place. */
  retractMessage(agentMessageId: string): void {
    if (this.#agentMessageId === agentMessageId) this.#message = undefined;
    const ids = this.#idsOf.get(agentMessageId) ?? [];
    this.#retract(ids.filter((id) => this.#messages.has(id)));
  }

  /** Ends what is open: the message, and each tool without a result. */
  end(isCancelled: boolean): void {
    this.#endMessage();
    for (const tool of this.#tools.values()) {
      if (tool.state !== "ended") this.#result(tool, isCancelled ? CANCELLED : NO_RESULT, true);
    }
  }

  #open(agentMessageId: string | undefined): AssistantMessage {
    const isOther = agentMessageId !== undefined && agentMessageId !== this.#agentMessageId;
    if (isOther) this.#endMessage();
    if (this.#message !== undefined) return this.#message;
    const { turnId, now } = this.#options;
    this.#agentMessageId = agentMessageId;
    // An agent's id may come again in another turn, and after a tool call.
    const isFresh = agentMessageId !== undefined && turnId !== undefined && !this.#idsOf.has(agentMessageId);
    this.#message = new AssistantMessage({
      ...(isFresh && { id: `${turnId}:${agentMessageId}` }),
      now,
      emit: (notification) => this.#emit(notification),
    });
    if (agentMessageId !== undefined) {
      this.#idsOf.set(agentMessageId, [...(this.#idsOf.get(agentMessageId) ?? []), this.#message.id]);
    }
    this.#messages.add(this.#message.id);
    this.#callMessages.push(this.#message.id);
    return this.#message;
  }

  #retract(messageIds: readonly string[]): void {
    for (const messageId of messageIds) {
      this.#messages.delete(messageId);
      this.#emit({ type: "assistant_message_retracted", messageId });
    }
  }

  #endMessage(): void {
    this.#message?.end();
    this.#message = undefined;
  }

  #toolOf(id: string): ToolCall {
    let tool = this.#tools.get(id);
    if (tool === undefined) {
      tool = new ToolCall(id);
      this.#tools.set(id, tool);
    }
    return tool;
  }

  #announce(tool: ToolCall): void {
    this.#endMessage();
    this.#callMessages = [];
    tool.state = "announced";
    this.#emit({ type: "tool_call", toolUse: tool.toolUse });
    this.state("executing_tool");
    this.#phase(tool, "queued");
  }

  #execute(tool: ToolCall): void {
    this.#writeUse(tool);
    if (tool.state !== "announced") return;
    tool.state = "executing";
    this.state("executing_tool");
    this.#phase(tool, "executing");
  }

  /** The message with the `tool_use` block, once, when the input is final. */
  #writeUse(tool: ToolCall): void {
    if (tool.messageId !== undefined) return;
    this.#endMessage();
    const message = new AssistantMessage({ now: this.#options.now, emit: (notification) => this.#emit(notification) });
    tool.messageId = message.id;
    message.block(tool.toolUse);
    message.end();
  }

  #progress(tool: ToolCall, update: Readonly<Record<string, unknown>>): void {
    const text = tool.takeProgress(update);
    if (text === "" || ENDED.has(tool.status)) return;
    const { id: toolUseId, name: toolName } = tool;
    this.#emit({ type: "tool_progress_update", toolUseId, toolName, update: { type: "message", text } });
  }

  #result(tool: ToolCall, content: string, isError: boolean): void {
    this.#writeUse(tool);
    tool.state = "ended";
    const messageId = tool.messageId as string;
    this.#emit({ type: "tool_result", messageId, toolUseId: tool.id, content, isError });
  }

  #details(tool: ToolCall): void {
    const details = tool.takeDetails();
    if (details !== undefined) this.#emit({ type: "tool_call_details", toolUseId: tool.id, ...details });
  }

  #phase(tool: ToolCall, phase: "queued" | "executing"): void {
    this.#emit({ type: "tool_execution_phase_changed", toolUseId: tool.id, toolName: tool.name, phase });
  }

  #emit(notification: SessionNotification): void {
    this.#options.emit(notification);
  }
}
