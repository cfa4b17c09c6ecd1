import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionError, isRecord } from "@daemon-sdk/protocol";
import { PROCESS_LIMITS } from "../limits/index.js";
import { pause } from "./pause.js";
import { readPrivateFile, storageFailure, writePrivateFile } from "./private-file.js";
import { type FoundDaemon, probeLocalDaemon } from "./probe.js";
import { STATE_FILES } from "./state-dir.js";

/** Name of the program that is the default daemon, which any client may start. */
export const DEFAULT_PROGRAM = "local-daemon";

/**
 * Records which program runs the daemon of a state directory. The record of another program than the default one stays when that ends
 * or dies: a service that is restarted finds its directory free, and not taken by a daemon that a client started meanwhile.
 * Rejects with `STORAGE_FULL` or `STORAGE_FAILED`.
 */
export async function writeOwner(stateDir: string, program: string): Promise<void> {
  const path = join(stateDir, STATE_FILES.owner);
  if (program === DEFAULT_PROGRAM) await removeOwner(path);
  else await writePrivateFile(path, `${JSON.stringify({ program })}\n`);
}

async function removeOwner(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw storageFailure("remove", path, cause);
  }
}

/** The program that runs the daemon of a state directory; undefined if any client may start the default one. Never rejects. */
export async function readOwner(stateDir: string): Promise<string | undefined> {
  const text = await readPrivateFile(join(stateDir, STATE_FILES.owner));
  try {
    const owner: unknown = text === undefined ? undefined : JSON.parse(text);
    return isRecord(owner) && typeof owner.program === "string" && owner.program !== "" ? owner.program : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Waits for the daemon of a program that owns the state directory; undefined when none owns it. Rejects with `DAEMON_NOT_RUNNING`,
 * naming the program, when it does not answer within 30 s, or with the reason of `signal`.
 */
export async function awaitOwner(
  stateDir: string,
  signal: AbortSignal | undefined,
  timeoutMs: number = PROCESS_LIMITS.startMs,
): Promise<FoundDaemon | undefined> {
  const since = performance.now();
  for (;;) {
    const program = await readOwner(stateDir);
    if (program === undefined) return undefined;
    const found = await probeLocalDaemon(stateDir, signal);
    if (found !== undefined) return found;
    if (performance.now() - since > timeoutMs) throw ownerAway(stateDir, program, timeoutMs);
    await pause(since, signal ?? new AbortController().signal);
  }
}

function ownerAway(stateDir: string, program: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(
    "DAEMON_NOT_RUNNING",
    `The daemon of ${stateDir} is run by the program "${program}", which did not answer within ${timeoutMs} ms. Start that program, ` +
      `or run "DAEMON_SDK_HOME=${stateDir} local-daemon start" to have the default daemon there instead.`,
  );
}
