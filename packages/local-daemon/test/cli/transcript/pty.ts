import type { IPty } from "@lydell/node-pty";

type Pty = typeof import("@lydell/node-pty");

/** What opens terminals here. Its package has programs for Linux with glibc, macOS and Windows: elsewhere undefined. */
export async function loadPty(): Promise<Pty | undefined> {
  return import("@lydell/node-pty").then(
    (pty) => pty,
    () => undefined,
  );
}

/** Why a test that needs a terminal does not run. */
export const NO_PTY = "skipped, because @lydell/node-pty has no program for this system";

/** How a program in a terminal ended. */
export interface TerminalExit {
  readonly code: number;
  readonly signal: number;
}

/** Options of {@link TerminalRun}. */
export interface TerminalRunOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
}

/** A program in a real terminal: what it writes is collected, and a test types. */
export class TerminalRun {
  readonly #pty: IPty;
  readonly exited: Promise<TerminalExit>;
  #output = "";
  #from = 0;
  #look: () => void = () => {};

  constructor(pty: Pty, { command: [file, ...args], env, cwd, columns = 100, rows = 40 }: TerminalRunOptions) {
    this.#pty = pty.spawn(file, args, { cols: columns, rows, env, ...(cwd === undefined ? {} : { cwd }) });
    this.#pty.onData((data) => {
      this.#output += data;
      this.#look();
    });
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal = 0 }) => {
        resolve({ code: exitCode, signal });
        this.#look();
      });
    });
  }

  /** Everything that was written until now. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Resolves once that text was written, after the text that was waited for before. Rejects when the program ends without. */
  async wrote(text: string): Promise<void> {
    let hasEnded = false;
    void this.exited.then(() => {
      hasEnded = true;
    });
    for (;;) {
      const at = this.#output.indexOf(text, this.#from);
      if (at >= 0) {
        this.#from = at + text.length;
        return;
      }
      if (hasEnded) throw new Error(`It ended without writing ${JSON.stringify(text)}:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
      // The end is noted in a microtask after this one.
      await Promise.resolve();
    }
  }

  /** Presses keys; `^C` and the like are control keys. */
  type(keys: string): void {
    this.#pty.write(keys.replace(/\^([A-Z])/g, (_, letter: string) => String.fromCharCode(letter.charCodeAt(0) - 64)));
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }
}

const ESCAPE = String.fromCharCode(27);
const ERASE = `\r${ESCAPE}[K`;
const CODES = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, "g");

/** What is left to read on a terminal after all that was written: without colours, and without lines that were erased again. */
export function readable(output: string): string {
  return output
    .split("\n")
    .map((line) => (line.split(ERASE).at(-1) ?? "").replaceAll("\r", ""))
    .join("\n")
    .replace(CODES, "");
}
