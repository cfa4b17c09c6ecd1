export { DirectoryCalls, type SessionDirectory } from "./directory-calls.js";
