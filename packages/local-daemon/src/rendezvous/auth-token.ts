import { checkStateDir, resolveStateDir } from "./state-dir.js";
import { readToken } from "./token.js";

// Facts of the wire: docs/wire/session.md#local-token-file

/**
 * The token of the local daemon, for `daemon.authenticate` of clients without proof. Undefined when no daemon has published
 * one, or its directory is not safe. Never rejects.
 *
 * The token is new at every start of the daemon. Send it only to a peer that has proven itself. `connectLocal` needs no token,
 * because it makes a proof.
 */
export async function resolveLocalAuthToken(options: { stateDir?: string } = {}): Promise<string | undefined> {
  try {
    const stateDir = options.stateDir ?? resolveStateDir();
    return (await checkStateDir(stateDir)) ? await readToken(stateDir) : undefined;
  } catch {
    return undefined;
  }
}
