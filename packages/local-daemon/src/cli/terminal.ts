/** What the commands write to. Answers go to stdout; everything about them goes to stderr, so that output can be piped. */
export interface Terminal {
  /** Part of the answer, as it is. */
  answer(text: string): void;
  /** A line about what happens. */
  note(line: string): void;
  /** One JSON document on a line of stdout. */
  json(value: unknown): void;
  /** Whether somebody can be asked. */
  readonly isInteractive: boolean;
}

const ESCAPE = String.fromCharCode(27);
/** Control characters but tab and newline, and the 8-bit ones: an agent's text must not steer the terminal. */
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

/** Text without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(CONTROL, "");
}
