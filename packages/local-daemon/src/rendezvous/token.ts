import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readPrivateFile, writePrivateFile } from "./private-file.js";
import { STATE_FILES } from "./state-dir.js";

/** 32 bytes in base64url without padding. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** A new local token; each start of the daemon makes one, so a token that leaked is worth nothing after a restart. */
export function createToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Publishes the token to programs of this user: mode 0600, replaced in one step. */
export function writeToken(stateDir: string, token: string): Promise<void> {
  return writePrivateFile(join(stateDir, STATE_FILES.token), token);
}

/** The token of the daemon that was published last, or undefined when there is none we would trust. Never rejects. */
export async function readToken(stateDir: string): Promise<string | undefined> {
  const text = await readPrivateFile(join(stateDir, STATE_FILES.token));
  return text !== undefined && TOKEN.test(text) ? text : undefined;
}
