import type { SessionNotification } from "@daemon-sdk/protocol";
import type { Style, Terminal } from "../terminal.js";
import { TurnEventLines } from "./turn-event-lines.js";
import { TurnPrinter } from "./turn-printer.js";

/** Options of {@link EventOutput}. */
export interface EventOutputOptions {
  readonly sessionId: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Prints the events of one session: as text, or as JSON lines. */
export class EventOutput {
  readonly #options: EventOutputOptions;
  readonly #printer: TurnPrinter;
  readonly #lines: TurnEventLines;

  constructor(options: EventOutputOptions) {
    this.#options = options;
    this.#printer = new TurnPrinter(options.terminal);
    this.#lines = new TurnEventLines(options.sessionId);
  }

  /** Prints a notification, or the events that the SDK makes of it; `more` are further fields of each. */
  print(notification: SessionNotification, more: object = {}): void {
    const { json, terminal, sessionId } = this.#options;
    if (json) for (const event of this.#lines.push(notification)) terminal.json({ sessionId, ...event, ...more });
    else this.#printer.print(notification);
  }

  /** Writes a line about the session, never inside a line of the answer. With `--json` it goes to stderr all the same. */
  note(line: string, style?: Style): void {
    this.#printer.note(line, style);
  }

  /** Ends the line that was begun. */
  end(): void {
    this.#printer.endLine();
  }
}
