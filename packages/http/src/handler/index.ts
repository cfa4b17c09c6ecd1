export { createHttpHandler, type HttpHandler } from "./create-http-handler.js";
export type { HttpHandlerOptions } from "./options.js";
