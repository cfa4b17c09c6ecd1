export { type BodyPlace, BodyRoom } from "./body-room.js";
export { preflight, withCors } from "./cors.js";
export { OpenStreams } from "./open-streams.js";
export { type Authorize, authorized, type HttpPrincipal } from "./principal.js";
export { checkSource, type SourceOptions, type SourceRules, sourceRules } from "./source.js";
