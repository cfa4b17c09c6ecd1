/** Child processes as the scripts use them: quiet until something fails, with the installed tools on PATH. */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const BIN = join(ROOT, "node_modules", ".bin");

/** Environment of every child: the installed tools first on PATH, and no tool that asks questions or calls home. */
function childEnvironment() {
  return {
    ...process.env,
    PATH: `${BIN}${delimiter}${process.env.PATH ?? ""}`,
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    CI: process.env.CI ?? "true",
  };
}

/** Whether the module of that `import.meta.url` is the program that was started. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/**
 * Runs a program with this one's stdio and resolves to its exit code.
 *
 * Signals sent to this process reach the child, too. This process waits for the child, which ends its own children.
 */
export async function run(command, args, { cwd = ROOT } = {}) {
  const child = spawn(command, args, { cwd, env: childEnvironment(), stdio: "inherit", shell: isWindows });
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  try {
    return await exitCode(child);
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/**
 * Runs a program with its output kept, and resolves to its exit code, that output and the time it took.
 *
 * `env` is added to its environment. After `timeoutMs`, or when `signal` aborts, it is terminated and counts as failed.
 */
export async function capture(command, args, { cwd = ROOT, env = {}, timeoutMs, signal } = {}) {
  const started = performance.now();
  const stdio = ["ignore", "pipe", "pipe"];
  const options = { cwd, env: { ...childEnvironment(), ...env }, stdio, shell: isWindows, timeout: timeoutMs, signal };
  const child = spawn(command, args, options);
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  const code = await exitCode(child);
  return { code, output: Buffer.concat(chunks).toString(), ms: performance.now() - started };
}

/**
 * Runs one step of a set-up. Prints its name and duration on stderr. Shows the step's own output only when it
 * fails, and then ends this process with its exit code.
 */
export async function runQuietly(title, command, args, options) {
  process.stderr.write(`${title} … `);
  const { code, output, ms } = await capture(command, args, options);
  process.stderr.write(code === 0 ? `${seconds(ms)}\n` : `failed after ${seconds(ms)}\n\n${output}\n`);
  if (code !== 0) process.exit(code);
}

/** A duration for people. */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

const isWindows = process.platform === "win32";

function exitCode(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}
