import { readFile } from "node:fs/promises";
import { DaemonError, METHODS } from "@daemon-sdk/protocol";
import { applyEdits, type JSONPath, modify } from "jsonc-parser";
import { type ConfigFile, configPathOf, readConfigFile } from "../../config-file/index.js";
import { openStateDir, writePrivateFile } from "../../rendezvous/index.js";
import { callRunningDaemon } from "../daemon-call.js";

/** A change of the configuration: a place in it, and its new value; undefined takes it out. */
export interface ConfigEdit {
  readonly path: JSONPath;
  readonly value: unknown;
  /** Whether the value is added to a list, before the one that is at `path`. */
  readonly isInsertion?: boolean;
}

/**
 * Changes `config.json` of a state directory, and leaves everything else in it as it was written. The file is made when there is none,
 * and replaced in one step. Rejects with `INVALID_OPTION`, and changes nothing, when it is faulty already.
 */
export async function editConfig(stateDir: string, edit: (config: ConfigFile) => ConfigEdit): Promise<void> {
  await openStateDir(stateDir);
  const { path, value, isInsertion = false } = edit(await readConfigFile(stateDir));
  const file = configPathOf(stateDir);
  const text = await readFile(file, "utf8").catch(() => "{}\n");
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: "\n" };
  const edits = modify(text, path, value, { formattingOptions, isArrayInsertion: isInsertion });
  await writePrivateFile(file, applyEdits(text, edits));
}

/** Lets the running daemon take over the changed file. False where none runs. */
export async function reloadIfRunning(stateDir: string): Promise<boolean> {
  try {
    using call = await callRunningDaemon(stateDir);
    await call.engine.request(METHODS.reloadConfiguration, {});
    return true;
  } catch (error) {
    if (DaemonError.is(error, "DAEMON_NOT_RUNNING")) return false;
    throw error;
  }
}
