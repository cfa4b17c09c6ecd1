export { eventId, positionOf } from "./event-id.js";
export { dataOf, eventStream } from "./event-stream.js";
export { SessionEvents, type SessionNews } from "./session-events.js";
