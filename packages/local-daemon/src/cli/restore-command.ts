import { createReadStream, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { importSessions, restoreAll } from "../backup/index.js";
import { lockStateDir, openStateDir, STATE_FILES } from "../rendezvous/index.js";
import { SqliteStore } from "../storage/index.js";
import type { CommandLine } from "./command-line.js";
import { EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** Adds `restore`. */
export function addRestoreCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "restore",
      "make a backup the state of the daemon, or add an exported session to it; no daemon may run",
      "one JSON object about what was restored",
    )
    .argument("<path>", "a directory that `export --all` made, or a file of `export <session>`")
    .addHelpText(
      "after",
      "\nA backup is restored into a state directory without sessions (DAEMON_SDK_HOME names another).",
    )
    .action(cli.action((context, path: string) => restore({ ...context, path: resolve(path) })));
}

/** `local-daemon restore`. */
export interface RestoreOptions {
  readonly stateDir: string;
  readonly path: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Restores a backup, or the sessions of a file. */
export async function restore({ stateDir, path, json, terminal }: RestoreOptions): Promise<number> {
  using _shown = terminal.progress(`restoring ${path}`);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new InvalidOptionError("path", `a backup, or a file of exported sessions; ${path} is neither`);
  if (found.isDirectory()) {
    const { sessions, createdAt } = await restoreAll({ from: path, stateDir });
    if (json) terminal.json({ stateDir, sessions, createdAt });
    else terminal.answer(`Restored ${sessions} sessions as they were at ${createdAt}.\n`);
    return EXIT.ok;
  }
  const ids = await importFile(stateDir, path);
  if (json) terminal.json({ stateDir, sessionIds: ids });
  else for (const id of ids) terminal.answer(`Restored ${id}.\n`);
  return EXIT.ok;
}

async function importFile(stateDir: string, path: string): Promise<string[]> {
  const lock = await lockStateDir(await openStateDir(stateDir));
  try {
    const store = new SqliteStore({ path: join(stateDir, STATE_FILES.database) });
    await store.open();
    try {
      return await importSessions(store, createInterface({ input: createReadStream(path), crlfDelay: Infinity }));
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}
