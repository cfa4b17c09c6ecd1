import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { homeDirectory } from "../home-directory.js";

/**
 * The working directory of a session. A relative path is relative to the home directory, because clients cannot see the daemon's own.
 * Rejects with -32602 when there is no such directory.
 */
export async function sessionDirectory(path: string): Promise<string> {
  const cwd = resolve(homeDirectory() ?? "/", path);
  const found = await stat(cwd).catch(() => undefined);
  if (found?.isDirectory() === true) return cwd;
  throw new ProtocolError("INVALID_PARAMS", `cwd must be a directory that exists; ${cwd} is none.`, {
    rpcCode: RpcCode.invalidParams,
  });
}
