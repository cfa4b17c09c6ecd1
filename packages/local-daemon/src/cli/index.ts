export { describeError, EXIT } from "./fail.js";
export { createProgram, usageExitCode } from "./program.js";
