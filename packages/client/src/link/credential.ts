import { type AuthenticateParams, ConnectionError, withoutUndefined } from "@daemon-sdk/protocol";
import { checkText } from "../base/index.js";
import type { ConnectDaemonOptions } from "../connection/index.js";

/** Credential part of `daemon.authenticate`. */
export type Credential = Pick<AuthenticateParams, "apiKey" | "token" | "proof" | "ticket">;

/** The credential that the options name; undefined when they name none. */
export async function givenCredential({
  apiKey,
  token,
  ticket,
}: ConnectDaemonOptions): Promise<Credential | undefined> {
  if (ticket !== undefined) return { ticket: typeof ticket === "string" ? ticket : await freshTicket(ticket) };
  if (apiKey === undefined && token === undefined) return undefined;
  return withoutUndefined({ apiKey, token });
}

/** A failure is retryable, like other failures to connect: the server that issues tickets may be restarting. */
async function freshTicket(fetchTicket: () => string | Promise<string>): Promise<string> {
  try {
    const ticket = await fetchTicket();
    checkText("ticket", ticket ?? "");
    return ticket;
  } catch (cause) {
    throw new ConnectionError("CONNECTION_FAILED", "The `ticket` function failed; nothing was sent.", { cause });
  }
}

/** The error for a missing credential; `advice` is what the caller can do. */
export function noCredential(advice: string): ConnectionError {
  return new ConnectionError("AUTH_MISSING", `No credential for the daemon. ${advice}. Nothing was sent.`);
}

/**
 * `token` of the session calls: required (docs/wire/session.md#token-in-session-calls), so a link authenticated by proof sends a
 * placeholder.
 */
export function sessionToken({ apiKey, token }: Credential): string {
  return apiKey ?? token ?? "local";
}
