/** Output of the commands. Answers are written to stdout, notes to stderr, so that answers can be piped. */
export interface Terminal {
  /** Writes part of the answer, unchanged. */
  answer(text: string): void;
  /** Writes a line about progress or a failure. */
  note(line: string): void;
  /** Writes one JSON document as a line of stdout. */
  json(value: unknown): void;
  /** Whether the user can be asked questions. */
  readonly isInteractive: boolean;
}

const ESCAPE = String.fromCharCode(27);
/** Control characters except tab and newline, 8-bit ones included: an agent's text must not control the terminal. */
const CONTROL = /(?![\t\n])\p{Cc}/gu;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    answer: (text) => void stdout.write(stdout.isTTY ? printable(text) : text),
    note: (line) => void stderr.write(stderr.isTTY ? `${ESCAPE}[2m${printable(line)}${ESCAPE}[0m\n` : `${line}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
  };
}

/** Text without control characters for a terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, "");
}
