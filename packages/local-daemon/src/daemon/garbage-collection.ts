import { setFlagsFromString } from "node:v8";

/**
 * Lets the garbage collector's frequent, short pauses run on the main thread alone. By default helper threads share each pause, and
 * the main thread waits for the last of them: where other processes use the cores, as agents do, a helper that gets no core
 * holds the event loop for tens of milliseconds. Concurrent marking and sweeping stay, because nobody waits for them.
 *
 * V8 reads the flag at each pause, so that a process that runs can set it. Acts on the whole process.
 */
export function collectGarbageWithoutHelpers(): void {
  setFlagsFromString("--no-parallel-scavenge");
}
