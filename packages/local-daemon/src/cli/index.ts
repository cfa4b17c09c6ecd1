export { describeError } from "./fail.js";
export { runProgram } from "./program.js";
