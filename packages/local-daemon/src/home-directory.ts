import { homedir } from "node:os";

/** The user's home directory; undefined in a container whose uid has neither HOME nor an entry in the user database. */
export function homeDirectory(): string | undefined {
  try {
    const path = homedir();
    return path === "" ? undefined : path;
  } catch {
    return undefined;
  }
}
