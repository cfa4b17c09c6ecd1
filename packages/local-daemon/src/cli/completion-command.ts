import { Argument, type Command, type Option } from "commander";
import { presetsOnPath } from "../agents/index.js";
import { readConfigFile } from "../config-file/index.js";
import { resolveStateDir } from "../rendezvous/index.js";
import type { CommandLine } from "./command-line.js";
import { EXIT } from "./fail.js";
import { openReader } from "./session-reader.js";
import { printable } from "./terminal.js";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** Asks for the words that may follow: the answer is one a line, with a tab and what it means. */
const ASK = "local-daemon complete --";

/** What each shell reads: it asks this program for the words at every tab, so it need not be made anew when commands change. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_local_daemon() {
  local word meaning
  COMPREPLY=()
  while IFS=$'\\t' read -r word meaning; do
    COMPREPLY+=("$word")
  done < <(${ASK} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _local_daemon local-daemon
`,
  zsh: `#compdef local-daemon
_local_daemon() {
  local -a words_found
  local line
  while IFS=$'\\t' read -r word meaning; do
    words_found+=("\${word//:/\\\\:}:\${meaning}")
  done < <(${ASK} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#words_found} )); then _describe 'local-daemon' words_found; else _files; fi
}
compdef _local_daemon local-daemon
`,
  fish: `complete -c local-daemon -f -a '(${ASK} (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

const INSTALL: Readonly<Record<Shell, string>> = {
  bash: 'eval "$(local-daemon completion bash)" in ~/.bashrc',
  zsh: 'eval "$(local-daemon completion zsh)" in ~/.zshrc, after compinit',
  fish: "local-daemon completion fish > ~/.config/fish/completions/local-daemon.fish",
};

/** Adds `completion`, and the hidden `complete` that its scripts call. */
export function addCompletionCommands(program: Command, cli: CommandLine): void {
  program
    .command("completion")
    .description("print what makes a shell complete the commands, options, sessions and agents of this program")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", `\n${SHELLS.map((shell) => `${shell.padEnd(5)} ${INSTALL[shell]}`).join("\n")}`)
    .action(
      cli.action(async ({ terminal }, shell: Shell) => {
        terminal.answer(SCRIPTS[shell]);
        return EXIT.ok;
      }),
    );
  program
    .command("complete", { hidden: true })
    .description("print the words that may follow; for the scripts of `completion`")
    .argument("[words...]", "what was typed, the last word being the one to complete")
    .action(
      cli.action(async ({ terminal }, words: string[]) => {
        for (const { word, meaning } of await wordsAfter(program, words)) terminal.answer(`${word}\t${meaning}\n`);
        return EXIT.ok;
      }),
    );
}

/** A word that may follow, and what it means. */
export interface CompletedWord {
  readonly word: string;
  readonly meaning: string;
}

/** The words that may stand in the place of the last one of `words`. Read from the commands themselves: nothing is written down twice. */
export async function wordsAfter(program: Command, words: readonly string[]): Promise<readonly CompletedWord[]> {
  const typed = words.at(-1) ?? "";
  const { command, rest } = commandOf(program, words.slice(0, -1));
  const options = command.options.filter(({ hidden }) => !hidden);
  const previous = rest.at(-1);
  const before = options.find(({ long, short }) => previous !== undefined && (previous === long || previous === short));
  const found =
    before?.required === true
      ? await valuesOf(before)
      : typed.startsWith("-")
        ? options.map(({ long, short, description }) => ({ word: long ?? short ?? "", meaning: description }))
        : [...commandsOf(command), ...(await argumentsOf(command, rest))];
  return found.filter(({ word }) => word.startsWith(typed));
}

/** The command that the words before the last one lead to, and what stands after its name. */
function commandOf(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  let rest = words;
  for (;;) {
    const [name] = rest;
    const next = command.commands.find((each) => each.name() === name);
    if (next === undefined) return { command, rest };
    command = next;
    rest = rest.slice(1);
  }
}

function commandsOf(command: Command): CompletedWord[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((each) => ({ word: each.name(), meaning: each.description() }));
}

async function valuesOf({ argChoices, long }: Option): Promise<readonly CompletedWord[]> {
  if (argChoices !== undefined) return argChoices.map((word) => ({ word, meaning: "" }));
  if (long === "--agent" || long === "--agents") return agentNames();
  return long === "--session" ? sessionIds() : [];
}

async function argumentsOf(command: Command, rest: readonly string[]): Promise<readonly CompletedWord[]> {
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[placeAfter(command, rest)] ?? (last?.variadic ? last : undefined);
  switch (argument?.name()) {
    case "session":
      return sessionIds();
    case "request":
      return requestIds();
    case "shell":
      return SHELLS.map((word) => ({ word, meaning: INSTALL[word] }));
    default:
      return [];
  }
}

/** How many arguments of the command stand in these words; the value of an option is none. */
function placeAfter({ options }: Command, words: readonly string[]): number {
  let place = 0;
  let isValue = false;
  for (const word of words) {
    if (!isValue && !word.startsWith("-")) place += 1;
    isValue = !isValue && options.some(({ long, short, required }) => required && (word === long || word === short));
  }
  return place;
}

/** How many sessions are offered: more nobody reads through. */
const OFFERED = 50;
const QUIET = { note: () => {} };

async function sessionIds(): Promise<readonly CompletedWord[]> {
  await using reader = await openReader({ stateDir: resolveStateDir(), terminal: QUIET });
  const words: CompletedWord[] = [{ word: "last", meaning: "the newest session" }];
  for await (const { sessionId, title = "" } of reader.sessions()) {
    // Shells write it to the terminal as it is.
    words.push({ word: sessionId, meaning: printable(title.replaceAll(/\s+/g, " ")) });
    if (words.length > OFFERED) break;
  }
  return words;
}

async function requestIds(): Promise<readonly CompletedWord[]> {
  await using reader = await openReader({ stateDir: resolveStateDir(), terminal: QUIET });
  const requests = await reader.requests();
  return requests.map(({ requestId, method }) => ({ word: requestId, meaning: method }));
}

async function agentNames(): Promise<readonly CompletedWord[]> {
  const { agents = {} } = await readConfigFile(resolveStateDir());
  const names = [...Object.keys(agents), ...presetsOnPath(process.env.PATH).map(({ name }) => name)];
  return [...new Set(names)].map((word) => ({ word, meaning: "" }));
}
