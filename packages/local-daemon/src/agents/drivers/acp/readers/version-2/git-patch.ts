/** The lines of one hunk of a patch, before and after the change. */
export interface Hunk {
  readonly path: string;
  /** Undefined for a file that is new. */
  readonly oldText: string | undefined;
  readonly newText: string;
}

const HUNK_HEAD = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/u;

/**
 * The hunks of a patch in Git's format, in their order (docs/wire/acp.md#version-2). Paths stand in it without a prefix.
 *
 * A line of a hunk may look like the head of a file, so the counts of the hunk's head decide where it ends.
 */
export function hunksOf(patch: string): Hunk[] {
  const hunks: Hunk[] = [];
  const lines = patch.split("\n");
  let [oldPath, newPath] = ["", ""];
  for (let place = 0; place < lines.length; place++) {
    const line = lines[place] as string;
    if (line.startsWith("--- ")) oldPath = pathOf(line);
    else if (line.startsWith("+++ ")) newPath = pathOf(line);
    const head = HUNK_HEAD.exec(line);
    if (head === null) continue;
    const [, oldLines = "1", newLines = "1"] = head;
    const body = readBody(lines, place + 1, Number(oldLines), Number(newLines));
    place = body.end - 1;
    const path = newPath === NO_FILE ? oldPath : newPath;
    hunks.push({ path, oldText: oldPath === NO_FILE ? undefined : body.oldText, newText: body.newText });
  }
  return hunks;
}

/** Stands for the side of a file that was added or deleted. */
const NO_FILE = "/dev/null";
/** Follows a line that ends without a line break. */
const NO_BREAK = "\\";

function readBody(lines: readonly string[], start: number, oldLines: number, newLines: number) {
  let [oldText, newText] = ["", ""];
  let [oldLeft, newLeft] = [oldLines, newLines];
  let end = start;
  let isOld = false;
  let isNew = false;
  for (; end < lines.length; end++) {
    const line = lines[end] as string;
    if (line.startsWith(NO_BREAK)) {
      if (isOld) oldText = oldText.slice(0, -1);
      if (isNew) newText = newText.slice(0, -1);
      continue;
    }
    if (oldLeft === 0 && newLeft === 0) break;
    isOld = !line.startsWith("+");
    isNew = !line.startsWith("-");
    if (isOld) oldLeft--;
    if (isNew) newLeft--;
    if (isOld) oldText += `${line.slice(1)}\n`;
    if (isNew) newText += `${line.slice(1)}\n`;
  }
  return { oldText, newText, end };
}

/** The path of a line such as `+++ /home/user/a.txt`. Git quotes unusual paths as JSON does, but for octal bytes. */
function pathOf(line: string): string {
  const text = line.slice(4).replace(/\t.*$/u, "");
  if (!text.startsWith('"')) return text;
  const escaped = text.slice(1, text.endsWith('"') ? -1 : undefined);
  const bytes: Buffer[] = [];
  for (const [part] of escaped.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gu)) bytes.push(unescaped(part));
  return Buffer.concat(bytes).toString("utf8");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

function unescaped(part: string): Buffer {
  if (!part.startsWith("\\")) return Buffer.from(part);
  const code = part.slice(1);
  if (/^[0-7]{3}$/u.test(code)) return Buffer.from([Number.parseInt(code, 8)]);
  return Buffer.from(ESCAPES[code] ?? code);
}
