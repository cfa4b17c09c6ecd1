import type { KeepConnection } from "../api/index.js";
import type { Platform } from "../link/index.js";

/** A platform with the half of the client that makes a connection of an authenticated link. */
export interface ClientPlatform extends Platform {
  /** The half of the client that an authenticated link is handed to; called when the first link begins to be made. */
  loadKeeper(): Promise<KeepConnection>;
}
