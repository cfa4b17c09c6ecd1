import { createUser, encodeUser, fmtCreds, type KeyPair } from "@nats-io/jwt";

/** Credentials that may change accounts, and look them up, and no more. */
export async function systemCredentials(system: KeyPair): Promise<string> {
  const user = createUser();
  const pub = { allow: ["$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP"] };
  const jwt = await encodeUser("accounts", user, system, { pub, sub: { allow: ["_INBOX.>"] } });
  return new TextDecoder().decode(fmtCreds(jwt, user));
}
