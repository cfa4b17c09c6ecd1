import { DaemonError } from "@daemon-sdk/protocol";
import { type Command, Option } from "commander";
import { resolveStateDir } from "../rendezvous/index.js";
import { describeError, EXIT, exitCodeOf, jsonFailure } from "./fail.js";
import { processTerminal, type Terminal } from "./terminal.js";

/** What every command works with. */
export interface CommandContext {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Aborted as {@link Interrupts} says. */
  readonly interrupted: AbortSignal;
}

/** Adds commands to the program. */
export type AddCommands = (program: Command, cli: CommandLine) => void;

/**
 * What Ctrl-C does to a command, and a reader of its output that is gone (`| head`):
 *
 * `end` ends the process at once, without a word · `abort` aborts `interrupted`, and the command returns its exit code; a second Ctrl-C
 * ends the process · `own` does nothing, because the command installs its own listeners.
 */
export type Interrupts = "end" | "abort" | "own";

/** The frame of all commands: what they get, how they end, and how they fail. */
export class CommandLine {
  readonly #terminal = processTerminal();
  readonly #interrupted = new AbortController();
  #isReaderGone = false;

  /** A command that knows `--json`. `json` says what it prints then. */
  command(parent: Command, nameAndArgs: string, description: string, json = "one JSON object"): Command {
    return parent.command(nameAndArgs).description(description).addOption(jsonOption(json));
  }

  /**
   * Makes the action of a command: `run` gets the context, then the command's arguments and options, and resolves with the exit code.
   * What it rejects with is printed, and decides on the exit code.
   */
  action<Args extends unknown[]>(
    run: (context: CommandContext, ...args: Args) => Promise<number>,
    interrupts: Interrupts = "end",
  ): (...args: [...Args, Command]) => Promise<void> {
    return async (...all) => {
      const command = all.at(-1) as Command;
      const args = all.slice(0, -1) as Args;
      const context: CommandContext = {
        stateDir: resolveStateDir(),
        json: command.opts().json === true,
        terminal: this.#terminal,
        interrupted: this.#interrupted.signal,
      };
      this.#listen(interrupts);
      try {
        process.exitCode = await run(context, ...args);
      } catch (error) {
        if (!this.#isInterrupt(error)) this.#print(error, context);
        process.exitCode = this.#interrupted.signal.aborted ? EXIT.interrupted : exitCodeOf(error);
      }
      if (this.#isReaderGone) process.exitCode = EXIT.readerGone;
    };
  }

  /** Whether an error only says that a call was interrupted. */
  #isInterrupt(error: unknown): boolean {
    const { aborted, reason } = this.#interrupted.signal;
    return aborted && (error === reason || DaemonError.is(error, "ABORTED"));
  }

  #print(error: unknown, { json, terminal }: CommandContext): void {
    if (json) terminal.json(jsonFailure(error));
    else terminal.note(`local-daemon: ${describeError(error)}`, "red");
  }

  #listen(interrupts: Interrupts): void {
    const onReaderGone = () => {
      if (interrupts === "end") process.exit(EXIT.readerGone);
      if (interrupts === "own") return;
      this.#isReaderGone = true;
      this.#terminal.mute();
      this.#interrupted.abort();
    };
    process.stdout.on("error", onReaderGone);
    process.stderr.on("error", onReaderGone);
    if (interrupts === "own") return;
    process.on("SIGINT", () => {
      if (interrupts === "end" || this.#interrupted.signal.aborted) process.exit(EXIT.interrupted);
      this.#interrupted.abort();
    });
  }
}

/** The option `--json`, for a command that is not made by {@link CommandLine.command}. */
export function jsonOption(description: string): Option {
  return new Option("--json", description).default(false);
}
