import { styleText } from "node:util";
import { Progress } from "./progress.js";

/** How a piece of text looks where the terminal has colours. */
export type Style = Parameters<typeof styleText>[0];

/** Output of the commands. Answers are written to stdout, notes to stderr, so that answers can be piped. */
export interface Terminal {
  /** Writes part of the answer: at a terminal without control characters, and styled where it has colours. */
  answer(text: string, style?: Style): void;
  /** Writes a line about progress or a failure. Default style: `dim`. */
  note(line: string, style?: Style): void;
  /** Writes one JSON document as a line of stdout. */
  json(value: unknown): void;
  /** Shows on stderr, at a terminal, what is waited for, once it takes over a second. Ends when disposed. */
  progress(what: string): Disposable;
  /** Whether the user can be asked questions. */
  readonly isInteractive: boolean;
  /** Width of stdout; undefined where it is no terminal, and lines must not be cut. */
  readonly columns: number | undefined;
}

/**
 * Control characters except tab and newline, 8-bit ones included, and those that change the direction of text: what an agent
 * writes must neither control the terminal nor look like something else.
 */
const CONTROL = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** JSON escapes only the first 32 of them. */
const EIGHT_BIT = /[\u007f-\u009f]/g;

/** Width where a terminal does not say its own. */
const DEFAULT_COLUMNS = 80;

/** The terminal of this process. */
export function processTerminal(): ProcessTerminal {
  return new ProcessTerminal(process);
}

/** Writes to the streams of a process. */
export class ProcessTerminal implements Terminal {
  readonly #process: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr" | "env">;
  /** What must go before other text is written: both streams are the same window. */
  readonly #shown = new Set<Progress>();

  #isMuted = false;

  constructor(process: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr" | "env">) {
    this.#process = process;
  }

  answer(text: string, style?: Style): void {
    const { stdout } = this.#process;
    this.#write(stdout, stdout.isTTY ? styled(printable(text), style, stdout) : text);
  }

  note(line: string, style: Style = "dim"): void {
    const { stderr } = this.#process;
    this.#write(stderr, `${stderr.isTTY ? styled(printable(line), style, stderr) : line}\n`);
  }

  json(value: unknown): void {
    this.#write(this.#process.stdout, `${JSON.stringify(value).replace(EIGHT_BIT, escaped)}\n`);
  }

  progress(what: string): Disposable {
    const { stderr, env } = this.#process;
    if (stderr.isTTY !== true) return { [Symbol.dispose]: () => {} };
    const progress = new Progress(printable(what), {
      write: (text) => void stderr.write(text),
      columns: () => stderr.columns || DEFAULT_COLUMNS,
      movesCursor: env.TERM !== "dumb",
    });
    this.#shown.add(progress);
    return {
      [Symbol.dispose]: () => {
        progress[Symbol.dispose]();
        this.#shown.delete(progress);
      },
    };
  }

  /** Drops everything from now on, because nobody reads it. */
  mute(): void {
    this.#isMuted = true;
  }

  get isInteractive(): boolean {
    return this.#process.stdin.isTTY === true && this.#process.stderr.isTTY === true;
  }

  get columns(): number | undefined {
    const { stdout } = this.#process;
    return stdout.isTTY ? stdout.columns || DEFAULT_COLUMNS : undefined;
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (this.#isMuted) return;
    for (const progress of this.#shown) progress.hide();
    stream.write(text);
  }
}

/** Node knows NO_COLOR, FORCE_COLOR, and what TERM can do. */
function styled(text: string, style: Style | undefined, stream: NodeJS.WriteStream): string {
  return style === undefined || !stream.hasColors() ? text : styleText(style, text, { validateStream: false });
}

/** Text without control characters for a terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, "");
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
