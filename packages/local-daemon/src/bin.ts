#!/usr/bin/env node
import { describeError, runProgram } from "./cli/index.js";

runProgram(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`local-daemon: ${describeError(error)}`);
  process.exitCode = 1;
});
