export { compiledProgram, PROGRAM_CACHE } from "./compiled-program.js";
