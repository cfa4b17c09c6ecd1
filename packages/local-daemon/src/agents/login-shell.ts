import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import type { Readable } from "node:stream";
import type { Logger } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../limits/index.js";
import { parsePrinted, printingLine, withLoginVariables } from "./login-variables.js";

/** Variables with which the login shell is started: what a login has. What the daemon's first starter had set is not among them. */
const AT_LOGIN: readonly string[] = ["HOME", "LOGNAME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR"];
const PATH_AT_LOGIN = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** Options of {@link LoginShell}. */
export interface LoginShellOptions {
  /** False: the environment is the daemon's own, and no shell is started. */
  readonly isRead: boolean;
  readonly logger: Logger;
  /** The daemon's own environment; default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Path of the shell; default that of the user's passwd entry, else `SHELL`. */
  readonly shell?: string | undefined;
  /** How long the shell may take, in ms. */
  readonly timeoutMs?: number;
}

/**
 * PATH and proxies of the user's login shell. A daemon is started by whichever program needs it first, and its own
 * environment depends on that program.
 *
 * The shell is run once, at the first {@link read}. A shell that fails is logged once, and the daemon's own environment holds.
 */
export class LoginShell {
  readonly #options: LoginShellOptions;
  readonly #own: NodeJS.ProcessEnv;
  readonly #closing = new AbortController();
  /** Called when the shell has been read, before those who wait for {@link read}. */
  onRead: (() => void) | undefined;
  #env: NodeJS.ProcessEnv;
  #reading: Promise<NodeJS.ProcessEnv> | undefined;

  constructor(options: LoginShellOptions) {
    this.#options = options;
    this.#own = options.env ?? process.env;
    this.#env = this.#own;
  }

  /** The environment as far as it is known: the daemon's own until a {@link read} has ended. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** The environment from which agents inherit. Never rejects. */
  read(): Promise<NodeJS.ProcessEnv> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** Ends a shell that still runs. Its readers go on with the daemon's own environment. */
  close(): void {
    this.#closing.abort();
  }

  async #read(): Promise<NodeJS.ProcessEnv> {
    const { isRead, logger, timeoutMs = AGENT_LIMITS.loginShellMs } = this.#options;
    if (!isRead || this.#closing.signal.aborted) return this.#own;
    const shell = this.#options.shell ?? shellOf(this.#own);
    const result =
      shell === undefined
        ? "the user has no login shell"
        : await runShell({ shell, env: this.#own, timeoutMs, signal: this.#closing.signal });
    if (typeof result !== "string") {
      this.#env = withLoginVariables(this.#own, result);
      this.onRead?.();
    } else if (!this.#closing.signal.aborted) {
      // Never what it printed: start files print secrets.
      logger.warn(
        { shell, problem: result },
        "The login shell was not read. Agents get the daemon's own PATH and proxies.",
      );
    }
    return this.#env;
  }
}

function shellOf(env: NodeJS.ProcessEnv): string | undefined {
  try {
    return userInfo().shell || env.SHELL;
  } catch {
    // A container may run as a user without a passwd entry.
    return env.SHELL;
  }
}

interface ShellRun {
  readonly shell: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The variables that a login shell has, or why they could not be read. */
async function runShell(run: ShellRun): Promise<ReadonlyMap<string, string> | string> {
  const { shell, env, timeoutMs, signal } = run;
  const mark = randomUUID();
  // A group of its own, so that everything that start files begin is ended with it.
  const child = spawn(shell, ["-l", "-c", printingLine(mark)], {
    cwd: "/",
    env: environmentAtLogin(env, shell),
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const failed = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(`it could not be started: ${message}`));
  });
  // Without a pid there may be no pipe, either.
  const { pid, stdout } = child;
  if (pid === undefined) return failed;
  const ended = new Promise<string>((resolve) => {
    child.once("close", (code, killedBy) => resolve(`it ended early (${killedBy ?? `exit code ${code}`})`));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it took longer than ${timeoutMs} ms`), timeoutMs);
    signal.addEventListener("abort", () => resolve("the daemon stops"), { once: true });
  });
  try {
    return await Promise.race([variablesFrom(stdout, mark), failed, ended, late]);
  } finally {
    clearTimeout(timer);
    stdout.destroy();
    killGroup(pid);
  }
}

function environmentAtLogin(env: NodeJS.ProcessEnv, shell: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => AT_LOGIN.includes(name));
  return { ...Object.fromEntries(kept), SHELL: shell, TERM: "dumb", PATH: PATH_AT_LOGIN };
}

/** Resolves at the second mark, at the bound of the output, or never when neither comes. */
function variablesFrom(stdout: Readable, mark: string): Promise<ReadonlyMap<string, string> | string> {
  let output = "";
  return new Promise((resolve) => {
    stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.length > AGENT_LIMITS.loginShellBytes) {
        stdout.pause();
        resolve(`it printed more than ${AGENT_LIMITS.loginShellBytes} bytes`);
        return;
      }
      const variables = parsePrinted(output, mark);
      if (variables !== undefined) resolve(variables);
    });
    stdout.on("error", () => {});
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
