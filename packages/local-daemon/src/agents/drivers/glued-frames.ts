import { decodeFrame } from "@daemon-sdk/protocol";

/** Places at which a message is looked for, in one line: a line of braces must not cost its length squared. */
const ATTEMPTS = 8;
const BEGIN = /\{\s*"/g;

/**
 * The messages in a line that holds more than one message: a byte order mark, text without a newline before or after it, or
 * another message.
 */
export function gluedFrames(line: string): string[] {
  const frames: string[] = [];
  if (!line.includes('"jsonrpc"')) return frames;
  BEGIN.lastIndex = 0;
  let failures = 0;
  for (let begin = BEGIN.exec(line); begin !== null && failures < ATTEMPTS; begin = BEGIN.exec(line)) {
    const end = endOfObject(line, begin.index);
    const frame = end === undefined ? undefined : line.slice(begin.index, end);
    if (frame !== undefined && frame !== line && decodeFrame(frame).ok) {
      frames.push(frame);
      BEGIN.lastIndex = end ?? line.length;
    } else {
      failures++;
      BEGIN.lastIndex = begin.index + 1;
    }
  }
  return frames;
}

/** Where the JSON object that begins at `start` ends; undefined when it does not. */
function endOfObject(text: string, start: number): number | undefined {
  const marks = /["{}]/g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '"') {
      const end = endOfString(text, mark.index + 1);
      if (end === undefined) return undefined;
      marks.lastIndex = end;
      continue;
    }
    depth += mark[0] === "{" ? 1 : -1;
    if (depth === 0) return mark.index + 1;
  }
  return undefined;
}

/** The place after the closing quote. */
function endOfString(text: string, start: number): number | undefined {
  for (let quote = text.indexOf('"', start); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return undefined;
}
