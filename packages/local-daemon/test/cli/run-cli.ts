import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));

/** How a run of the command line ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built command line, with a state directory of its own and no terminal. */
export interface CliRun {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves once that text was written to either output. */
  wrote(text: string): Promise<void>;
}

export function startCli(
  stateDir: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdin: "ignore" | "pipe" = "ignore",
): CliRun {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: stateDir, ...env },
    stdio: [stdin, "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk) => {
      output[name] += chunk;
    });
  }
  const result = new Promise<CliResult>((resolve) => child.once("close", (code) => resolve({ code, ...output })));
  const wrote = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if ((output.stdout + output.stderr).includes(text)) resolve();
      };
      child.stdout?.on("data", look);
      child.stderr?.on("data", look);
      child.once("close", () =>
        reject(new Error(`It ended without writing ${text}:\n${output.stdout}${output.stderr}`)),
      );
      look();
    });
  return { child, result, wrote };
}

/** Runs the built command line to its end. */
export function runCli(stateDir: string, ...args: string[]): Promise<CliResult> {
  return startCli(stateDir, args).result;
}
