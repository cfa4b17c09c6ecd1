import type { SessionNotification } from "@daemon-sdk/protocol";
import type { Terminal } from "./terminal.js";
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

  constructor(options: EventOutputOptions) {
    this.#options = options;
    this.#printer = new TurnPrinter(options.terminal);
  }

  print(notification: SessionNotification, more: object = {}): void {
    const { json, terminal, sessionId } = this.#options;
    if (json) terminal.json({ sessionId, ...more, ...notification });
    else this.#printer.print(notification);
  }

  /** Writes a line about the session, never inside a line of the answer. With `--json` it goes to stderr all the same. */
  note(line: string, style?: Parameters<Terminal["note"]>[1]): void {
    this.#printer.note(line, style);
  }

  /** Ends the line that was begun. */
  end(): void {
    this.#printer.endLine();
  }
}
