import { createHash } from "node:crypto";

/**
 * Name of a configured key, the same at every start of the daemon: sessions are stored with it. Derived from the key's hash:
 * a name from the store is no credential.
 */
export function keyIdOf(key: string): string {
  const hash = createHash("sha256").update(key).digest();
  return createHash("sha256").update("daemon-sdk key id\0").update(hash).digest("hex").slice(0, 32);
}
