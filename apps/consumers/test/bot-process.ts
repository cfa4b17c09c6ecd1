import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DIST = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist");

/** A built program of this package, as a process that may be killed. */
export interface BotProcess extends AsyncDisposable {
  readonly port: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Starts a program that serves webhooks, on a port that the system chose. */
export async function startBot(name: string, env: Readonly<Record<string, string>>): Promise<BotProcess> {
  const child = startProgram(name, [], { PORT: "0", ...env });
  const [line = ""] = await linesUntil(child, /^listening on \d+$/);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  return { port: Number(line.split(" ").at(-1)), kill, [Symbol.asyncDispose]: kill };
}

/** Starts a program. */
export function startProgram(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [join(DIST, `${name}.js`), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Resolves with the line that matches, and those before it, newest first. Rejects when the program ends without it. */
export async function linesUntil(child: ChildProcess, pattern: RegExp): Promise<string[]> {
  const lines: string[] = [];
  if (child.stdout === null) throw new Error("The program's output is not read.");
  for await (const line of createInterface(child.stdout)) {
    lines.unshift(line);
    if (pattern.test(line)) return lines;
  }
  throw new Error(`The program ended, and printed: ${lines.join("\n")}`);
}
