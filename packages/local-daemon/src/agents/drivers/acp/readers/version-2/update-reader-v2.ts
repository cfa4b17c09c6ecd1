import { isRecord } from "@daemon-sdk/protocol";
import { recordsOf } from "../../content.js";
import type { AgentTerminals } from "../agent-terminals.js";
import type { CommonUpdates, KindReaders, Update } from "../common-updates.js";
import type { PermissionSubject, UpdateReader, UpdateReaderOptions } from "../update-reader.js";
import { permissionSubject } from "./permission-subject.js";
import { toolContent, toolUpdate } from "./tool-update.js";
import { WholeMessages } from "./whole-messages.js";

/** Options of {@link UpdateReaderV2}. */
export interface UpdateReaderV2Options extends UpdateReaderOptions {
  /** The agent has taken the prompt into its conversation. */
  onPromptTaken(): void;
  /** The agent reports what it does: `running`, `requires_action` or `idle`, with the reason and the usage. */
  onState(update: Update): void;
}

/**
 * Reads what an agent sends in version 2 of the protocol, which is a draft (docs/wire/acp.md#version-2): the same turn writer gets
 * the same calls as from version 1.
 */
export class UpdateReaderV2 implements UpdateReader {
  readonly #options: UpdateReaderV2Options;
  readonly #common: CommonUpdates;
  readonly #readers: KindReaders;
  readonly #messages = new WholeMessages();
  readonly #terminals: AgentTerminals;
  /** Entries by the plan's id. */
  readonly #plans = new Map<unknown, readonly Record<string, unknown>[]>();
  #cost: unknown;

  constructor(options: UpdateReaderV2Options, common: CommonUpdates, terminals: AgentTerminals) {
    this.#options = options;
    this.#common = common;
    this.#terminals = terminals;
    this.#readers = {
      ...common.kinds,
      // Our own prompt, echoed: the agent has taken it.
      user_message_chunk: () => options.onPromptTaken(),
      user_message: () => options.onPromptTaken(),
      agent_message_chunk: (update) => this.#text(update),
      agent_message: (update) => this.#wholeText(update),
      agent_thought_chunk: (update) => this.#thinking(update),
      agent_thought: (update) => this.#wholeThinking(update),
      state_update: (update) => options.onState(update),
      tool_call_update: (update) => this.#tool(update),
      tool_call_content_chunk: (update) => this.#toolContent(update),
      terminal_update: (update) => this.#output(this.#terminals.update(update)),
      terminal_output_chunk: (update) => this.#output(this.#terminals.chunk(update)),
      plan_update: (update) => this.#plan(update),
      usage_update: (update) => this.#usage(update),
    };
  }

  read(update: Update): void {
    this.#common.dispatch(this.#readers, update);
  }

  opened(answer: unknown): void {
    if (isRecord(answer) && Array.isArray(answer.availableCommands)) this.#common.commandsListed(answer);
  }

  permissionSubject(params: Update, id: string): PermissionSubject {
    return permissionSubject(params, id);
  }

  #text(update: Update): void {
    this.#messages.chunk("text", this.#options.writer(), update);
    this.#common.message(update);
  }

  #wholeText(update: Update): void {
    for (const chunk of this.#messages.replace("text", this.#options.writer(), update)) this.#text(chunk);
  }

  #thinking(update: Update): void {
    this.#messages.chunk("thinking", this.#options.writer(), update);
    this.#common.thought(update);
  }

  #wholeThinking(update: Update): void {
    for (const chunk of this.#messages.replace("thinking", this.#options.writer(), update)) this.#thinking(chunk);
  }

  #tool(update: Update): void {
    if (typeof update.toolCallId !== "string") return;
    this.#options.writer()?.tool(this.#terminals.withOutput(toolUpdate(update)));
  }

  #toolContent({ toolCallId, content }: Update): void {
    const writer = this.#options.writer();
    if (typeof toolCallId !== "string" || !isRecord(content) || writer === undefined) return;
    const items = [...writer.toolContent(toolCallId), ...toolContent(content)];
    writer.tool(this.#terminals.withOutput({ toolCallId, content: items }));
  }

  #output(updates: readonly Update[]): void {
    for (const update of updates) this.#options.writer()?.toolOutput(update);
  }

  /** Our plan is one: several of an agent follow one another. */
  #plan(update: Update): void {
    const { plan } = update;
    if (!isRecord(plan) || plan.type !== "items") {
      this.#common.passThrough(update);
      return;
    }
    this.#plans.set(plan.planId, recordsOf(plan.entries));
    this.#common.plan([...this.#plans.values()].flat());
  }

  /** A cost that is absent is the former one. */
  #usage(update: Update): void {
    if (update.cost !== undefined) this.#cost = update.cost;
    this.#common.kinds.usage_update?.({ ...update, cost: this.#cost });
  }
}
