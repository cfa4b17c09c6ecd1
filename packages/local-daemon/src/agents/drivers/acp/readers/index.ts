export type { PermissionSubject, SessionReport, UpdateReader } from "./update-reader.js";
export { UpdateReaders } from "./update-readers.js";
