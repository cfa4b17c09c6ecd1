import { InvalidOptionError } from "@daemon-sdk/protocol";
import { resolveConfig } from "../config.js";
import { agentCatalog } from "../configured-agents.js";
import { parseAllowedHosts, parseAllowedOrigins } from "../listener/index.js";
import type { ConfigFile } from "./schema.js";

/** Why a daemon could not start with a configuration whose form is right; undefined when it could. */
export function faultOf({ logLevel: _level, $schema: _schema, ...config }: ConfigFile): InvalidOptionError | undefined {
  try {
    const resolved = resolveConfig({ agentPresets: true, ...config });
    agentCatalog(resolved);
    parseAllowedOrigins(resolved.allowedOrigins);
    parseAllowedHosts(resolved.allowedHosts);
    return undefined;
  } catch (error) {
    if (InvalidOptionError.is(error)) return error;
    throw error;
  }
}
