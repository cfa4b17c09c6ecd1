import type { KeepConnection } from "../api/index.js";
import type { LoadCallTracing, LoadJsonSchema } from "../base/index.js";
import type { Platform } from "../link/index.js";

/** A platform that also has the half of the client that a page loads during the dial. */
export interface ClientPlatform extends Platform {
  /** Loads what makes a connection of an authenticated link; called when an attempt at the first link begins. */
  loadKeeper(): Promise<KeepConnection>;
  /** Loads what checks answers against a bare JSON Schema. Absent: such answers are not checked. */
  loadJsonSchema?: LoadJsonSchema;
  /** Loads what makes spans of calls. Absent: calls have none. */
  loadTracing?: LoadCallTracing;
}
