import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Last component of the directory, wherever it lies. */
const NAME = "daemon-sdk";

/**
 * Where this user's caches are kept, as each system has it; undefined for a user without a home.
 *
 * Not the state directory: a daemon that is new to its machine, or has a state directory of its own, is started as fast as any other.
 */
export function cacheDirectory(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  // A relative path in an XDG variable is to be ignored, says the XDG base directory specification.
  const { XDG_CACHE_HOME: caches, LOCALAPPDATA: appData } = env;
  if (caches && isAbsolute(caches)) return join(caches, NAME);
  if (platform === "win32") return appData && join(appData, NAME, "cache");
  const home = env.HOME || homeOfUser();
  if (!home || !isAbsolute(home)) return undefined;
  return platform === "darwin" ? join(home, "Library", "Caches", NAME) : join(home, ".cache", NAME);
}

/** A uid without an entry in the user database has none. */
function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
