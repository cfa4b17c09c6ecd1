import { checkStateDir, resolveStateDir } from "./state-dir.js";
import { readToken } from "./token.js";

// Facts of the wire: docs/wire/session.md#local-token-file

/**
 * The token of the local daemon, for `daemon.authenticate` of clients that know no proof; undefined when no daemon has
 * published one, or its directory is not safe. Never rejects.
 *
 * It is new at every start of the daemon. Give it to a peer only after that has proven itself; `connectLocal` needs no
 * token at all, because its proof stands in for it.
 */
export async function resolveLocalAuthToken(options: { stateDir?: string } = {}): Promise<string | undefined> {
  try {
    const stateDir = options.stateDir ?? resolveStateDir();
    return (await checkStateDir(stateDir)) ? await readToken(stateDir) : undefined;
  } catch {
    return undefined;
  }
}
