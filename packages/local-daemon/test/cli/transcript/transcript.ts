import { readFileSync } from "node:fs";

/** A command on a page, with what the page says of it. */
export interface ShownCommand {
  readonly command: string;
  /** Keys that are pressed, each once a text was written. */
  readonly keys: readonly { readonly keys: string; readonly at: string }[];
  /** Commands that are run before, and are not shown; with `until` they are repeated until they succeed. */
  readonly before: readonly { readonly command: string; readonly isRepeated: boolean }[];
}

/** What a command wrote, as a page shows it, with its exit code. */
export interface ShownOutput {
  readonly output: string;
  readonly code: number;
}

const BLOCK = /((?:<!-- (?:run|until|types) .*? -->\n+)*)```console\n([\s\S]*?)```/g;

/**
 * The page with the output of each of its commands made anew: the page itself says what is run. In a block `console` a line that begins
 * with `$ ` is a command; comments before the block say what is run before it unseen, and what is typed into its first command.
 */
export async function rewritten(page: string, run: (command: ShownCommand) => Promise<ShownOutput>): Promise<string> {
  const text = readFileSync(page, "utf8");
  let made = "";
  let from = 0;
  for (const match of text.matchAll(BLOCK)) {
    const [whole, comments = "", body = ""] = match;
    made += text.slice(from, match.index) + comments;
    made += `\`\`\`console\n${await blockOf(comments, body, run)}\`\`\``;
    from = match.index + whole.length;
  }
  return made + text.slice(from);
}

async function blockOf(
  comments: string,
  body: string,
  run: (command: ShownCommand) => Promise<ShownOutput>,
): Promise<string> {
  let made = "";
  let before = [...comments.matchAll(/<!-- (run|until) (.*?) -->/g)].map(([, kind, command = ""]) => ({
    command,
    isRepeated: kind === "until",
  }));
  let keys = [...comments.matchAll(/"([^"]*)" at "([^"]*)"/g)].map(([, typed = "", at = ""]) => ({ keys: typed, at }));
  for (const line of body.split("\n")) {
    if (!line.startsWith("$ ")) continue;
    const { output, code } = await run({ command: line.slice(2), keys, before });
    before = [];
    keys = [];
    made += `${line}\n${output === "" || output.endsWith("\n") ? output : `${output}\n`}`;
    if (code !== 0) made += `(exit code ${code})\n`;
  }
  return made;
}
