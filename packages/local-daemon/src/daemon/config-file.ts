import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import * as z from "zod/mini";
import { readPrivateFile } from "../rendezvous/private-file.js";
import { STATE_FILES } from "../rendezvous/state-dir.js";

const agentSchema = z.strictObject({
  command: z.tuple([z.string().check(z.minLength(1))], z.string()),
  driver: z._default(z.enum(["stream-jsonrpc", "relay"]), "stream-jsonrpc"),
  env: z.exactOptional(z.record(z.string(), z.string())),
  inheritEnv: z.exactOptional(z.array(z.string())),
});

const configSchema = z.strictObject({
  port: z.exactOptional(z.int().check(z.gte(0), z.lte(65_535))),
  agents: z.exactOptional(z.record(z.string().check(z.minLength(1)), agentSchema)),
  defaultAgent: z.exactOptional(z.string()),
  apiKeys: z.exactOptional(z.array(z.string().check(z.minLength(16)))),
  allowedOrigins: z.exactOptional(z.array(z.string())),
  spawnManager: z.exactOptional(z.boolean()),
  logLevel: z.exactOptional(z.enum(["debug", "info", "warn", "error"])),
});

/** What `config.json` in the state directory may say; every key is optional (README, "Configuration"). */
export type ConfigFile = z.infer<typeof configSchema>;

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
