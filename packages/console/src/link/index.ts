export { type Access, createAccess } from "./access.js";
export { openConnection } from "./open-connection.js";
