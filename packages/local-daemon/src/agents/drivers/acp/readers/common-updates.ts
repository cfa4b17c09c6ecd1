import { isRecord, newId, type SessionNotification } from "@daemon-sdk/protocol";
import { readContent, recordsOf, textOf } from "../content.js";
import type { CommandInfo, ContextUsage, SessionReport, UpdateReaderOptions } from "./update-reader.js";

/** Fields of one update. */
export type Update = Readonly<Record<string, unknown>>;

/** Readers of updates by their kinds. */
export type KindReaders = Readonly<Record<string, (update: Update) => void>>;

/** The kinds of `session/update` that both versions of the protocol have (docs/wire/acp.md#updates). */
export class CommonUpdates implements SessionReport {
  /** Readers of these kinds. */
  readonly kinds: KindReaders;

  readonly #options: UpdateReaderOptions;
  #commands: readonly CommandInfo[] = [];
  #contextUsage: ContextUsage | undefined;
  /** JSON of what was passed on last, by type: agents repeat whole lists. */
  readonly #last = new Map<string, string>();

  constructor(options: UpdateReaderOptions) {
    this.#options = options;
    this.kinds = {
      agent_message_chunk: (update) => this.message(update),
      agent_thought_chunk: (update) => this.thought(update),
      available_commands_update: (update) => this.commandsListed(update),
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

  /** Passes an update to the reader of its kind. Unknown kinds pass through as `agent_update`. */
  dispatch(readers: KindReaders, update: Update): void {
    const kind = textOf(update.sessionUpdate) ?? "";
    const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
    if (reader === undefined) this.passThrough(update);
    else reader(update);
  }

  /** Passes on an update that none of our types is for. */
  passThrough(update: Update): void {
    this.#options.notify({ type: "agent_update", update });
  }

  /** A part of a message of the agent. */
  message({ content, messageId }: Update): void {
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

  /** A part of what the model thinks. */
  thought({ content, messageId }: Update): void {
    const block = readContent(content);
    if (block?.type === "text") this.#options.writer()?.thinking(block.text, textOf(messageId));
  }

  /** The whole plan. */
  plan(entries: unknown): void {
    const read = recordsOf(entries).map(({ content, status, priority }) => ({
      content: textOf(content) ?? "",
      status: textOf(status) ?? "pending",
      ...(typeof priority === "string" && { priority }),
    }));
    this.#options.notify({ type: "plan_changed", entries: read });
  }

  /** The whole list of commands. */
  commandsListed({ availableCommands }: Update): void {
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
