export { type Access, createAccess } from "./access.js";
export { type PlacedSession, placeSession, readFleet, searchFleet } from "./fleet-calls.js";
export { openConnection } from "./open-connection.js";
