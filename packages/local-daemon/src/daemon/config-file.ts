import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import { readPrivateFile, STATE_FILES } from "../rendezvous/index.js";
import type { ConfigFile } from "./config-schema.js";

/**
 * Reads `config.json` of a state directory; `{}` when there is none.
 *
 * Throws an `InvalidOptionError` that names the key and what was expected, never the value: it may be a key. Unknown keys
 * are refused, because a misspelt `allowedOrigins` must not pass in silence.
 */
export async function readConfigFile(stateDir: string): Promise<ConfigFile> {
  const path = join(stateDir, STATE_FILES.config);
  const text = await readPrivateFile(path);
  if (text === undefined) {
    if ((await lstat(path).catch(() => undefined)) === undefined) return {};
    throw new InvalidOptionError(
      path,
      "a file of yours, no symbolic link, under 64 KiB, with mode 0600 (it may hold keys)",
    );
  }
  // Few have such a file: its schema is not loaded for a start without one.
  const { configSchema } = await import("./config-schema.js");
  const parsed = configSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path.join(".") ?? "";
  throw new InvalidOptionError(
    key === "" ? path : `${path}: ${key}`,
    `as the README says (${issue?.message ?? "invalid"})`,
  );
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidOptionError(path, "valid JSON");
  }
}
