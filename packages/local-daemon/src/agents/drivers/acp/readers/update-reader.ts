import type { SessionNotification } from "@daemon-sdk/protocol";
import type { AcpTurn } from "../acp-turn.js";
import type { SessionOptions } from "../session-options.js";
import type { TextNotices } from "../text-notices.js";
import type { TurnWriter } from "../turn-writer.js";

/** What an agent sends, by the names of its version of the protocol; in the order of the lines. */
export interface UpdateReader {
  /** Receives the `update` of a `session/update`. */
  read(update: Readonly<Record<string, unknown>>): void;
  /** Receives the answer that opened the conversation. */
  opened(answer: unknown): void;
  /** What a `session/request_permission` is about; undefined when the request names nothing. `id` is unique among the questions. */
  permissionSubject(params: Readonly<Record<string, unknown>>, id: string): PermissionSubject | undefined;
}

/** What a person is asked about. */
export interface PermissionSubject {
  /** The tool call in the shape of version 1. */
  readonly toolCall: Readonly<Record<string, unknown>> & { readonly toolCallId: string };
  /** Why the agent asks, in its own words. */
  readonly reason?: string | undefined;
  /** True when the agent has no tool call for the question, so that the answer ends it. */
  readonly isQuestionAlone?: boolean;
}

/** What a reader works on, and where the events go. */
export interface UpdateReaderOptions {
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

/** What the agent has reported of its session outside of the conversation. */
export interface SessionReport {
  /** Commands that a prompt can begin with, as the agent lists them. */
  readonly commands: readonly CommandInfo[];
  readonly contextUsage: ContextUsage | undefined;
}

/** A command of the agent. It is used by a prompt that begins with `/` and its name. */
export interface CommandInfo {
  readonly name: string;
  readonly description: string;
  /** What the command wants after its name. */
  readonly hint?: string;
}

/** How much of the model's context is used, in tokens. */
export interface ContextUsage {
  readonly usedTokens: number;
  readonly contextTokens: number;
  readonly cost?: Readonly<Record<string, unknown>>;
}
