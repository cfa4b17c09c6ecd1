export { cacheDirectory } from "./cache-directory.js";
export { compiledProgram } from "./compiled-program.js";
