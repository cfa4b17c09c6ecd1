/** One command of a prompt. Paths are unchanged, relative to the session's directory. */
export type Command =
  | { readonly kind: "list"; readonly path: string }
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "search"; readonly text: string; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  | { readonly kind: "append"; readonly path: string; readonly text: string }
  | { readonly kind: "run"; readonly command: string }
  | { readonly kind: "ask"; readonly question: string; readonly options: readonly string[] }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "think"; readonly text: string }
  | { readonly kind: "stream"; readonly count: number; readonly bytes: number }
  | { readonly kind: "count"; readonly count: number; readonly everyMs: number }
  | { readonly kind: "recall" }
  | { readonly kind: "json"; readonly literal: string }
  | { readonly kind: "help" };

/** Bytes of one delta of `stream <n>` without `of <bytes>`. */
const STREAM_BYTES = 8;

/** The agent's answer to a prompt that is no command. */
export const HELP = [
  "I work in this session's directory. One command a line, or several joined by ` ; then `:",
  "list [dir] · read <path> · search <text> [in <dir>] · write <path>: <text> · append <path>: <text>",
  "run <command> · ask <question>? <a> | <b> · say <text> · think <text> · json <literal>",
  "stream <n> [of <bytes>] · count <n> every <ms> · recall",
].join("\n");

type Reader = (match: RegExpExecArray) => Command;

/** The pattern of each command; the first match counts. Flag `s`: text may contain newlines. */
const GRAMMAR: readonly (readonly [RegExp, Reader])[] = [
  [/^list(?: (.+))?$/is, (m) => ({ kind: "list", path: m[1] ?? "." })],
  [/^read (.+)$/is, (m) => ({ kind: "read", path: m[1] ?? "" })],
  [/^search (.+?)(?: in (\S+))?$/is, (m) => ({ kind: "search", text: m[1] ?? "", path: m[2] ?? "." })],
  [/^write (.+?):(?: (.*))?$/is, (m) => ({ kind: "write", path: m[1] ?? "", text: withEscapes(m[2] ?? "") })],
  [/^append (.+?):(?: (.*))?$/is, (m) => ({ kind: "append", path: m[1] ?? "", text: withEscapes(m[2] ?? "") })],
  [/^run (.+)$/is, (m) => ({ kind: "run", command: m[1] ?? "" })],
  [/^ask ([^?]+\?)\s*(.*)$/is, (m) => ({ kind: "ask", question: m[1] ?? "", options: optionsOf(m[2] ?? "") })],
  [/^say (.+)$/is, (m) => ({ kind: "say", text: m[1] ?? "" })],
  [/^think (.+)$/is, (m) => ({ kind: "think", text: m[1] ?? "" })],
  [/^stream (\d{1,9})(?: of (\d{1,7}))?$/i, (m) => ({ kind: "stream", count: Number(m[1]), bytes: bytesOf(m[2]) })],
  [/^count (\d{1,9}) every (\d{1,9})$/i, (m) => ({ kind: "count", count: Number(m[1]), everyMs: Number(m[2]) })],
  [/^recall$/i, () => ({ kind: "recall" })],
  [/^json (.+)$/is, (m) => ({ kind: "json", literal: m[1] ?? "" })],
];

/** Parses a prompt. Never empty, never throws: a text that is no command gives a help command (docs/agents.md, "The language"). */
export function parsePrompt(prompt: string): Command[] {
  const lines = prompt
    .split(/\r?\n| ; then /)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.length === 0 ? [{ kind: "help" }] : lines.map(parseLine);
}

function parseLine(line: string): Command {
  for (const [pattern, read] of GRAMMAR) {
    const match = pattern.exec(line);
    if (match !== null) return read(match);
  }
  return { kind: "help" };
}

const ESCAPES = new Map([
  ["\\n", "\n"],
  ["\\t", "\t"],
  ["\\\\", "\\"],
]);

/** Replaces escapes: a line of a prompt cannot contain a newline, a file often does. */
function withEscapes(text: string): string {
  return text.replace(/\\[nt\\]/g, (sequence) => ESCAPES.get(sequence) ?? sequence);
}

function optionsOf(text: string): string[] {
  return text
    .split("|")
    .map((option) => option.trim())
    .filter((option) => option !== "");
}

function bytesOf(digits: string | undefined): number {
  return digits === undefined ? STREAM_BYTES : Math.max(1, Number(digits));
}
