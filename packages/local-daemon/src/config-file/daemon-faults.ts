import { InvalidOptionError, silentLogger } from "@daemon-sdk/protocol";
import { LoginShell } from "../agents/index.js";
import { resolveConfig } from "../config.js";
import { agentCatalog, findNamedAgents } from "../configured-agents.js";
import { certificateOf } from "../configured-certificate.js";
import { parseAllowedHosts, parseAllowedOrigins } from "../listener/index.js";
import type { ConfigFile } from "./schema.js";

/** Why a daemon could not start with a configuration whose form is right; undefined when it could. */
export async function faultOf({
  logLevel: _level,
  fleet: _fleet,
  $schema: _schema,
  ...config
}: ConfigFile): Promise<InvalidOptionError | undefined> {
  try {
    const resolved = resolveConfig({ agentPresets: true, loginShell: true, ...config });
    const loginShell = new LoginShell({ isRead: resolved.loginShell, logger: silentLogger });
    await findNamedAgents(resolved, loginShell);
    agentCatalog(resolved, loginShell);
    parseAllowedOrigins(resolved.allowedOrigins);
    parseAllowedHosts(resolved.allowedHosts);
    await certificateOf(resolved);
    return undefined;
  } catch (error) {
    if (InvalidOptionError.is(error)) return error;
    throw error;
  }
}
