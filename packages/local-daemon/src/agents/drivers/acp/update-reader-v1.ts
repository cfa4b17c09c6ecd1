import { isRecord, newId, type SessionNotification } from "@daemon-sdk/protocol";
import type { AcpTurn } from "./acp-turn.js";
import { readContent, recordsOf, textOf } from "./content.js";
import type { SessionOptions } from "./session-options.js";
import type { TextNotices } from "./text-notices.js";
import type { TurnWriter } from "./turn-writer.js";
import type { CommandInfo, ContextUsage, SessionReport, UpdateReader } from "./update-reader.js";

/** Options of {@link UpdateReaderV1}. */
export interface UpdateReaderV1Options {
  /** Writes the conversation: of the running turn, or of what comes outside of turns. Undefined while a conversation is replayed. */
  writer(): TurnWriter | undefined;
  /** The running turn; undefined between turns. */
  turn(): AcpTurn | undefined;
  /** Tells texts of the agent from those of its model. */
  textNotices(): TextNotices;
  /** Modes, models and options of the session. */
  options(): SessionOptions;
  /** The options have changed. */
  onOptions(): void;
  /** Passes on what is no part of a message or a tool. */
  notify(notification: SessionNotification): void;
  readonly now: () => number;
}

type Update = Readonly<Record<string, unknown>>;

/** Reads `session/update` of protocol version 1 (docs/wire/acp.md#updates). Unknown kinds pass through as `agent_update`. */
export class UpdateReaderV1 implements UpdateReader, SessionReport {
  readonly #options: UpdateReaderV1Options;
  readonly #readers: Readonly<Record<string, (update: Update) => void>>;
  #commands: readonly CommandInfo[] = [];
  #contextUsage: ContextUsage | undefined;
  /** JSON of what was passed on last, by type: agents repeat whole lists. */
  readonly #last = new Map<string, string>();

  constructor(options: UpdateReaderV1Options) {
    this.#options = options;
    this.#readers = {
      agent_message_chunk: (update) => this.#message(update),
      agent_thought_chunk: (update) => this.#thought(update),
      // Our own prompt, echoed.
      user_message_chunk: () => {},
      tool_call: (update) => this.#tool(update),
      tool_call_update: (update) => this.#tool(update),
      plan: (update) => this.#plan(update),
      available_commands_update: (update) => this.#availableCommands(update),
      current_mode_update: ({ currentModeId }) => {
        if (typeof currentModeId === "string" && options.options().modeChanged(currentModeId)) options.onOptions();
      },
      config_option_update: ({ configOptions }) => {
        if (options.options().replace(configOptions)) options.onOptions();
      },
      session_info_update: (update) => this.#sessionInfo(update),
      usage_update: (update) => this.#usage(update),
      notice: (update) => this.#notice(update),
      compaction_update: (update) => this.#compaction(update),
    };
  }

  get commands(): readonly CommandInfo[] {
    return this.#commands;
  }

  get contextUsage(): ContextUsage | undefined {
    return this.#contextUsage;
  }

  read(update: Update): void {
    const kind = textOf(update.sessionUpdate) ?? "";
    const reader = Object.hasOwn(this.#readers, kind) ? this.#readers[kind] : undefined;
    if (reader === undefined) this.#options.notify({ type: "agent_update", update });
    else reader(update);
  }

  #message({ content, messageId }: Update): void {
    const block = readContent(content);
    if (block?.type === "text" && this.#isOfAgent(block.text)) return;
    const writer = this.#options.writer();
    if (block === undefined || writer === undefined) return;
    if (block.type === "text") writer.text(block.text, textOf(messageId));
    else writer.block(block, textOf(messageId));
  }

  /** Takes a text that is the agent's own in place of its model's. False for one that belongs to the conversation. */
  #isOfAgent(text: string): boolean {
    const turn = this.#options.turn();
    const meaning = this.#options.textNotices().meaningOf(text);
    if (turn !== undefined) turn.failureText = meaning === "failure" ? text : undefined;
    if (meaning === "notice") this.#notice({ title: text.trim() });
    if (meaning === "retry") turn?.retry(text);
    if (meaning !== undefined) return meaning !== "failure";
    if (turn?.hasSystemError !== true) return false;
    turn.explainSystemError(text);
    return true;
  }

  #thought({ content, messageId }: Update): void {
    const block = readContent(content);
    if (block?.type === "text") this.#options.writer()?.thinking(block.text, textOf(messageId));
  }

  #tool(update: Update): void {
    if (typeof update.toolCallId === "string") this.#options.writer()?.tool(update);
  }

  #plan({ entries }: Update): void {
    const read = recordsOf(entries).map(({ content, status, priority }) => ({
      content: textOf(content) ?? "",
      status: textOf(status) ?? "pending",
      ...(typeof priority === "string" && { priority }),
    }));
    this.#options.notify({ type: "plan_changed", entries: read });
  }

  #availableCommands({ availableCommands }: Update): void {
    this.#commands = recordsOf(availableCommands).flatMap(({ name, description, input }) => {
      if (typeof name !== "string") return [];
      const hint = isRecord(input) ? textOf(input.hint) : undefined;
      return [{ name, description: textOf(description) ?? "", ...(hint !== undefined && hint !== "" && { hint }) }];
    });
    this.#notifyChange({ type: "commands_changed", commands: this.#commands });
  }

  #sessionInfo({ title, _meta: meta }: Update): void {
    if (typeof title === "string" && title !== "") {
      this.#notifyChange({ type: "session_title_updated", title, updateType: "auto" });
    }
    if (isRecord(meta) && isRecord(meta.codex)) this.#codexThread(meta.codex);
  }

  /** Codex reports beside the conversation how its model does (docs/wire/acp.md#notices). */
  #codexThread({ threadStatus, error }: Update): void {
    const turn = this.#options.turn();
    if (isRecord(threadStatus) && threadStatus.type === "systemError") turn?.systemFailed(textOf(threadStatus.message));
    if (!isRecord(error) || error.willRetry !== true) return;
    const parts = [error.message, error.additionalDetails].filter((part) => typeof part === "string" && part !== "");
    turn?.retry(parts.join(": "));
  }

  #usage({ used, size, cost }: Update): void {
    if (typeof used !== "number" || typeof size !== "number") return;
    this.#contextUsage = { usedTokens: used, contextTokens: size, ...(isRecord(cost) && { cost }) };
    this.#notifyChange({ type: "context_usage_changed", ...this.#contextUsage });
  }

  #notice({ title, description }: Update): void {
    const message = [title, description].filter((part) => typeof part === "string" && part !== "").join(": ");
    this.#options.notify({ type: "session_notice", code: "AGENT_NOTICE", message, timestamp: this.#options.now() });
  }

  #compaction({ status, compactionId }: Update): void {
    if (status === "in_progress") this.#options.writer()?.state("compacting_conversation");
    else if (status === "completed") {
      const summaryId = textOf(compactionId) ?? newId();
      this.#options.notify({ type: "session_compacted", summaryId, removedCount: 0, visibleBoundaryMessageId: null });
    }
  }

  #notifyChange(notification: SessionNotification): void {
    const text = JSON.stringify(notification);
    if (this.#last.get(notification.type) === text) return;
    this.#last.set(notification.type, text);
    this.#options.notify(notification);
  }
}
