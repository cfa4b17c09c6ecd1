import {
  isKnownNotification,
  isRecord,
  type SessionMessage,
  type SessionNotification,
  type ToolUseBlock,
} from "@daemon-sdk/protocol";
import type { Style, Terminal } from "../terminal.js";

/** Longest printed argument of a tool call. The session has the whole argument. */
const SHOWN_CHARS = 120;

/** Writes a turn to the terminal as it is received: the answer to stdout, tools and errors as notes. */
export class TurnPrinter {
  readonly #terminal: Terminal;
  /** Messages that were received in deltas. The whole message follows at the end. */
  readonly #streamed = new Set<string>();
  readonly #toolsSeen = new Set<string>();
  #lastAnswered = "\n";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  print(notification: SessionNotification): void {
    if (!isKnownNotification(notification)) return;
    switch (notification.type) {
      case "assistant_text_delta":
        this.#streamed.add(notification.messageId);
        this.#answer(notification.textDelta);
        break;
      case "assistant_text_complete":
        this.endLine();
        break;
      case "create_message":
        if (notification.message.role === "assistant") this.#message(notification.message);
        break;
      case "tool_call":
        this.#toolCall(notification.toolUse);
        break;
      case "tool_result":
        if (notification.isError) this.note(`  failed: ${shortText(notification.content)}`);
        break;
      case "error":
        this.note(`error: ${notification.message}`, "red");
        break;
      case "request_opened":
        this.note(`waits for an answer: local-daemon answer ${notification.requestId}`, "yellow");
        break;
      case "session_notice":
        this.note(`note: ${notification.message}`, "yellow");
        break;
      default:
    }
  }

  /** Writes a note on a line of its own, never inside a line of the answer. */
  note(line: string, style?: Style): void {
    this.endLine();
    this.#terminal.note(line, style);
  }

  endLine(): void {
    if (!this.#lastAnswered.endsWith("\n")) this.#answer("\n");
  }

  #answer(text: string): void {
    if (text === "") return;
    this.#lastAnswered = text;
    this.#terminal.answer(text);
  }

  #message(message: SessionMessage): void {
    if (this.#streamed.has(message.id)) return;
    for (const block of message.content) {
      if (block.type === "text" && typeof block.text === "string") this.#answer(block.text);
    }
    this.endLine();
  }

  /** Prints a tool call, which is received twice: at its start, and with its whole input (docs/wire/session.md#order-of-a-turn). */
  #toolCall({ id, name, input }: ToolUseBlock): void {
    const isBegin = isRecord(input) && Object.keys(input).length === 0;
    if (isBegin || this.#toolsSeen.has(id)) return;
    this.#toolsSeen.add(id);
    this.note(`· ${name} ${shortText(input)}`);
  }
}

/** A value in one line, cut where it is long. */
export function shortText(value: unknown): string {
  const text = typeof value === "string" ? value : String(JSON.stringify(value));
  const line = text.trim().replaceAll(/\s*\n\s*/g, " ⏎ ");
  return line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)}…` : line;
}
