#!/usr/bin/env node
import { type Command, CommanderError } from "commander";
import { createProgram, describeError, EXIT, usageExitCode } from "./cli/index.js";

const interrupted = new AbortController();
const isDaemon = process.argv[2] === "start";

// In the foreground the daemon listens for signals itself: the first drains, the second hurries.
if (!isDaemon) {
  process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(EXIT.interrupted);
    interrupted.abort();
  });
}

// Whoever read the output left (`| head`): like Ctrl-C, but the daemon in the foreground serves on without a reader.
process.stdout.on("error", () => {
  if (!isDaemon) interrupted.abort();
});

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExit);
}

const program = createProgram(interrupted.signal);
throwInsteadOfExit(program);
program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = usageExitCode(error.exitCode);
    return;
  }
  console.error(`local-daemon: ${describeError(error)}`);
  process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : EXIT.failed;
});
