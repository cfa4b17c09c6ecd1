import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import { readPrivateFile, STATE_FILES } from "../rendezvous/index.js";
import type { ConfigProblem } from "./problems.js";
import type { ConfigFile } from "./schema.js";

/** Path of the configuration file of a state directory. */
export function configPathOf(stateDir: string): string {
  return join(stateDir, STATE_FILES.config);
}

/**
 * Reads `config.json` of a state directory; `{}` when there is none.
 *
 * Throws `INVALID_OPTION` with the path, and for each fault its line, its key and what was expected, never the value: it may be
 * a key. Unknown keys are refused, because a misspelt `allowedOrigins` must not pass in silence.
 */
export async function readConfigFile(stateDir: string): Promise<ConfigFile> {
  const path = configPathOf(stateDir);
  const text = await readPrivateFile(path);
  if (text === undefined) {
    if ((await lstat(path).catch(() => undefined)) === undefined) return {};
    throw unreadable(path);
  }
  // Few have such a file: its schema is not loaded for a start without one.
  const { parseConfig, problemText } = await import("./problems.js");
  const reading = parseConfig(text);
  if ("config" in reading) return reading.config;
  const lines = reading.problems.map((problem) => `  ${problemText(problem)}`).join("\n");
  throw new DaemonError("INVALID_OPTION", `${path} cannot be used:\n${lines}`);
}

/**
 * Everything that is wrong in a configuration file, also what the schema cannot state: a default agent that no agent is,
 * a key that stands twice. Throws `INVALID_OPTION` when the file cannot be read.
 */
export async function checkConfigFile(path: string): Promise<readonly ConfigProblem[]> {
  const text = await readPrivateFile(path);
  if (text === undefined) throw unreadable(path);
  const { parseConfig } = await import("./problems.js");
  const reading = parseConfig(text);
  if ("problems" in reading) return reading.problems;
  const { faultOf } = await import("./daemon-faults.js");
  const fault = await faultOf(reading.config);
  if (fault === undefined) return [];
  return [{ key: fault.option, ...reading.places.find(fault.option), message: fault.message }];
}

function unreadable(path: string): InvalidOptionError {
  return new InvalidOptionError(
    path,
    "a file of yours, no symbolic link, under 64 KiB, with mode 0600 (it may hold keys)",
  );
}
