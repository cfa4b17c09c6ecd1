import { createTwoFilesPatch } from "diff";

/** Lines of the longest side above which no difference is computed: it would hold the page for seconds. */
const MOST_LINES = 20_000;

/** The unified diff between two texts of a file. */
export function patchOf(path: string, before: string, after: string): string {
  if (Math.max(lines(before), lines(after)) > MOST_LINES)
    return [...prefixed("-", before), ...prefixed("+", after)].join("\n");
  const patch = createTwoFilesPatch(path, path, before, after, "", "", { context: 3 });
  // Its four lines of header repeat the path.
  return patch.split("\n").slice(3).join("\n");
}

function prefixed(sign: string, text: string): string[] {
  return text.split("\n").map((line) => sign + line);
}

function lines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
