import { open, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { InvalidOptionError, sessionId } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { exportAll, exportSession } from "../backup/index.js";
import { STATE_FILES, storageFailure } from "../rendezvous/index.js";
import { SqliteStore } from "../storage/index.js";
import type { CommandLine } from "./command-line.js";
import { EXIT } from "./fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "./session-argument.js";
import { StoredReader } from "./session-reader.js";
import type { Terminal } from "./terminal.js";

/** Adds `export`. */
export function addExportCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "export",
      "write a session as JSON lines, or everything as a backup; the daemon may run, and goes on",
      "one JSON object about what was written",
    )
    .argument("[session]", SESSION_ARGUMENT)
    .option("-a, --all <directory>", "back up everything into a new directory")
    .option("-o, --output <file>", "write the session into a new file; default: stdout")
    .addHelpText(
      "after",
      "\nBoth hold conversations. A backup holds config.json with its keys, too; keep it as you keep those.",
    )
    .action(
      cli.action((context, session: string | undefined, options: { all?: string; output?: string }) => {
        if ((session === undefined) === (options.all === undefined)) {
          throw new InvalidOptionError("session", "the id of a session, or --all with a directory");
        }
        return options.all === undefined
          ? exportOne({ ...context, session: session ?? "", output: options.output })
          : backUp({ ...context, to: resolve(options.all) });
      }),
    );
}

/** What both forms of `local-daemon export` get. */
interface ExportOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

async function backUp({ stateDir, json, terminal, to }: ExportOptions & { to: string }): Promise<number> {
  using _shown = terminal.progress(`backing up to ${to}`);
  const manifest = await exportAll({ stateDir, to });
  if (json) terminal.json({ directory: to, ...manifest });
  else terminal.answer(`Backed up ${manifest.sessions} sessions to ${to}.\n`);
  return EXIT.ok;
}

async function exportOne(options: ExportOptions & { session: string; output: string | undefined }): Promise<number> {
  const { stateDir, json, terminal, output } = options;
  const store = new SqliteStore({ path: join(stateDir, STATE_FILES.database) });
  store.openToRead();
  try {
    const session = await sessionIdOf(options.session, () => new StoredReader(store).sessions());
    let lines = 0;
    const texts = async function* (): AsyncGenerator<string> {
      for await (const line of exportSession(store, sessionId(session))) {
        lines += 1;
        yield `${JSON.stringify(line)}\n`;
      }
    };
    if (output === undefined) {
      for await (const text of texts()) terminal.answer(text);
      return EXIT.ok;
    }
    await writeNewFile(output, texts()).catch((cause: unknown) => {
      throw cause instanceof Error && "syscall" in cause ? storageFailure("write", output, cause) : cause;
    });
    if (json) terminal.json({ sessionId: session, file: output, lines });
    else terminal.note(`Wrote ${lines} lines to ${output}.`);
    return EXIT.ok;
  } finally {
    await store.close();
  }
}

/** Writes a file that was not there. A failure leaves none behind: half a session looks like a whole one. */
async function writeNewFile(path: string, texts: AsyncIterable<string>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await pipeline(texts, file.createWriteStream());
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
