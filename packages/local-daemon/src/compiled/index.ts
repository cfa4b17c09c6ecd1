export { type CompiledProgram, compiledProgram, PROGRAM_CACHE } from "./compiled-program.js";
