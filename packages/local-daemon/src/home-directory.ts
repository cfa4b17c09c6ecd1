import { homedir } from "node:os";
import { join } from "node:path";

/** The user's home directory; undefined in a container whose uid has neither HOME nor an entry in the user database. */
export function homeDirectory(): string | undefined {
  try {
    const path = homedir();
    return path === "" ? undefined : path;
  } catch {
    return undefined;
  }
}

/** A path of the configuration: `~/` at its begin means the home directory. */
export function fromHome(path: string): string {
  return path.startsWith("~/") ? join(homeDirectory() ?? "/", path.slice(2)) : path;
}
