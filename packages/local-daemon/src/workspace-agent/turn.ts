import { setTimeout as sleep } from "node:timers/promises";
import { type AddUserMessageParams, isRecord, type MessageBlock, newId, type TokenUsage } from "@daemon-sdk/protocol";
import { AssistantMessage } from "./assistant-message.js";
import { type Command, HELP, parsePrompt } from "./language.js";
import type { Prompt } from "./prompt.js";
import { useTool } from "./tool-round.js";
import {
  askUser,
  listDirectory,
  readTextFile,
  runCommand,
  searchFiles,
  type ToolUse,
  writeTextFile,
} from "./tools/index.js";
import type { TurnSession } from "./turn-session.js";

/** Reason of a turn's end, as on the wire. */
type Reason = "completed" | "cancelled" | "error";

/** Answers up to this length are sent word by word, as from a model; longer ones in pieces of this many characters. */
const WORDWISE_CHARS = 400;
const PIECE_CHARS = 512;

/** One turn: a prompt, the execution of its commands, and its one end (docs/wire/agent-stdio.md#a-plain-turn). */
export class Turn {
  readonly #session: TurnSession;
  readonly #prompt: Prompt;
  readonly #signal: AbortSignal;
  #message: AssistantMessage;
  /** The argument of the last `json` command: the answer to an `outputFormat`. */
  #json: string | undefined;

  /** @param signal interrupts the turn, which then ends as `cancelled` */
  constructor(session: TurnSession, prompt: Prompt, signal: AbortSignal) {
    this.#session = session;
    this.#prompt = prompt;
    this.#signal = signal;
    this.#message = new AssistantMessage(session.output);
  }

  /** Runs the turn to its end. Never rejects. */
  async run(): Promise<void> {
    const { output, conversation } = this.#session;
    const startedAt = Date.now();
    const before = { ...conversation.data.tokenUsage };
    const isWork = this.#prompt.params.skipAgentLoop !== true;
    if (isWork) output.state("streaming_assistant_message");
    this.#showPrompt();
    const reason = isWork ? await this.#work() : "completed";
    await this.#session.save();
    const { tokenUsage } = conversation.data;
    const cumulativeTokenUsage = { ...tokenUsage };
    output.tell({ type: "session_token_usage_changed", sessionId: conversation.id, tokenUsage: cumulativeTokenUsage });
    output.tell({
      type: "agent_turn_completed",
      reason,
      turnId: this.#prompt.messageId,
      durationMs: Date.now() - startedAt,
      tokenUsage: difference(tokenUsage, before),
      cumulativeTokenUsage,
    });
    output.state("idle");
  }

  #showPrompt(): void {
    const { conversation, output } = this.#session;
    const { params, messageId, requestId } = this.#prompt;
    const message = conversation.add({ id: messageId, role: "user", content: contentOf(params) });
    output.tell({ type: "create_message", message, requestId });
    const title = conversation.titleFrom(params.text);
    if (title !== undefined) output.tell({ type: "session_title_updated", title, updateType: "first_user_message" });
  }

  async #work(): Promise<Reason> {
    const { output, conversation } = this.#session;
    try {
      output.state("thinking");
      for (const command of parsePrompt(this.#prompt.params.text)) {
        this.#signal.throwIfAborted();
        if (!(await this.#perform(command))) return "completed";
      }
      const { id } = this.#message.finish(conversation);
      this.#tellStructuredOutput(id);
      return "completed";
    } catch (error) {
      if (this.#signal.aborted) return this.#interrupted();
      const message = error instanceof Error ? error.message : String(error);
      output.tell({ type: "error", message, errorType: "Error", timestamp: new Date().toISOString() });
      return "error";
    }
  }

  /** Executes one command; false when the user refused a tool, which ends the turn. */
  async #perform(command: Command): Promise<boolean> {
    switch (command.kind) {
      case "say":
        return this.#say(command.text);
      case "think":
        this.#message.think(command.text);
        return true;
      case "json":
        this.#json = command.literal;
        return this.#say(command.literal);
      case "recall":
        return this.#say(this.#session.conversation.prompts.slice(0, -1).join("\n") || "Nothing was said before.");
      case "help":
        return this.#say(HELP);
      case "stream":
        return this.#stream(command.count, command.bytes);
      case "count":
        return this.#count(command.count, command.everyMs);
      default:
        return this.#use(await this.#toolFor(command));
    }
  }

  async #toolFor(command: Extract<Command, { kind: ToolCommand }>): Promise<ToolUse> {
    const { workspace, person } = this.#session;
    switch (command.kind) {
      case "list":
        return listDirectory(command.path);
      case "read":
        return readTextFile(command.path);
      case "search":
        return searchFiles(command.text, command.path);
      case "run":
        return runCommand(command.command);
      case "ask":
        return askUser(person, command.question, command.options);
      case "write":
      case "append":
        return writeTextFile({ path: command.path, text: command.text, append: command.kind === "append" }, workspace);
    }
  }

  async #use(use: ToolUse): Promise<boolean> {
    const round = {
      session: this.#session,
      message: this.#message,
      turnId: this.#prompt.messageId,
      signal: this.#signal,
    };
    const outcome = await useTool(round, use);
    this.#message = new AssistantMessage(this.#session.output);
    if (outcome.kind === "refused") return false;
    return this.#say(outcome.text);
  }

  async #say(text: string): Promise<true> {
    const line = this.#message.hasText ? `\n${text}` : text;
    for (const piece of piecesOf(line)) this.#message.text(piece);
    await this.#breathe();
    return true;
  }

  async #stream(count: number, bytes: number): Promise<true> {
    for (let i = 1; i <= count; i++) {
      this.#message.text(`${i} `.padEnd(bytes, ".").slice(0, bytes));
      if (this.#session.output.isFull) await this.#breathe();
    }
    return true;
  }

  async #count(count: number, everyMs: number): Promise<true> {
    for (let i = 1; i <= count; i++) {
      this.#message.text(`${i} `);
      await sleep(everyMs, undefined, { signal: this.#signal });
    }
    return true;
  }

  /** Waits until the pipe is not full. Throws if the turn was interrupted. */
  async #breathe(): Promise<void> {
    await this.#session.output.ready(this.#signal);
    this.#signal.throwIfAborted();
  }

  #interrupted(): "cancelled" {
    const { conversation, output } = this.#session;
    const text = "Request interrupted by user";
    const content: MessageBlock[] = [{ type: "text", text }];
    const message = conversation.add({ id: newId(), role: "system", content, visibility: "llm_only" });
    output.tell({ type: "create_message", message });
    return "cancelled";
  }

  /** Sends the structured output if the prompt requested a format (docs/wire/session.md#prompts-and-interrupts). */
  #tellStructuredOutput(messageId: string): void {
    if (this.#prompt.params.outputFormat === undefined) return;
    const value = parseJson(this.#json);
    if (isRecord(value)) {
      this.#session.output.tell({ type: "structured_output", messageId, structuredOutput: value });
      return;
    }
    const structuredOutputError =
      this.#json === undefined
        ? { code: "missing_structured_output", message: "Say `json <object>` to give a structured answer." }
        : { code: "invalid_structured_output", message: "The argument of `json` is not a JSON object." };
    this.#session.output.tell({ type: "structured_output", messageId, structuredOutput: null, structuredOutputError });
  }
}

type ToolCommand = "list" | "read" | "search" | "write" | "append" | "run" | "ask";

function contentOf({ text, images = [], files = [] }: AddUserMessageParams): MessageBlock[] {
  return [
    { type: "text", text },
    ...images.map((source): MessageBlock => ({ type: "image", source })),
    ...files.map((source): MessageBlock => ({ type: "document", source })),
  ];
}

function piecesOf(text: string): readonly string[] {
  if (text.length <= WORDWISE_CHARS) return text.match(/\s*\S+\s*/g) ?? [text];
  const pieces: string[] = [];
  for (let from = 0; from < text.length; from += PIECE_CHARS) pieces.push(text.slice(from, from + PIECE_CHARS));
  return pieces;
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function difference(after: TokenUsage, before: TokenUsage): TokenUsage {
  return {
    ...after,
    inputTokens: after.inputTokens - before.inputTokens,
    outputTokens: after.outputTokens - before.outputTokens,
  };
}
