export { type ResolveUrlOptions, resolveWebSocketUrl } from "../link/index.js";
