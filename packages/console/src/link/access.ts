import { ConnectionError, DaemonError, isRecord } from "@daemon-sdk/protocol";

/** Where a tab keeps its credential: readable by this origin, port included, and gone with the tab. */
const STORAGE_KEY = "daemon-sdk.console.tab";

/** How this tab gets a ticket for each of its connections. */
export interface Access {
  /**
   * A ticket for one connection. Rejects with `AUTH_REJECTED` when the link was used or the credential of the tab has ended, with
   * `CONNECTION_FAILED` when the daemon does not answer.
   */
  ticket(): Promise<string>;
  /** Ends the credential of this tab. */
  leave(): Promise<void>;
}

/**
 * Takes the ticket out of the address, before anything else of the page runs: it is in no history and no bookmark. The first
 * `ticket()` exchanges it for the credential of this tab, which a reload finds again.
 */
export function createAccess(base: string = document.baseURI): Access {
  let fromLink = takeTicket();
  let exchange: Promise<string> | undefined;

  async function credential(): Promise<string> {
    if (fromLink !== undefined) {
      exchange ??= call("POST", "tab", { ticket: fromLink }).then((answer) => textOf(answer, "credential"));
      try {
        sessionStorage.setItem(STORAGE_KEY, await exchange);
        fromLink = undefined;
      } catch (error) {
        exchange = undefined;
        // A link that was opened a second time leaves a tab that has its credential as it is.
        if (!DaemonError.is(error, "AUTH_REJECTED") || sessionStorage.getItem(STORAGE_KEY) === null) throw error;
        fromLink = undefined;
      }
    }
    const kept = sessionStorage.getItem(STORAGE_KEY);
    if (kept === null)
      throw new ConnectionError("AUTH_REJECTED", "This tab has no access. Open the link of the daemon.");
    return kept;
  }

  async function call(method: string, path: string, body?: object, bearer?: string): Promise<unknown> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
    const init: RequestInit = { method, headers, credentials: "omit", cache: "no-store" };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(new URL(`/console/${path}`, base), init).catch((cause: unknown) => {
      throw new ConnectionError("CONNECTION_FAILED", "The daemon does not answer.", { cause });
    });
    if (response.ok) return response.status === 204 ? undefined : response.json();
    const code = response.status === 401 ? "AUTH_REJECTED" : "CONNECTION_FAILED";
    throw new ConnectionError(code, `The daemon answered ${response.status}.`);
  }

  return {
    async ticket() {
      const bearer = await credential();
      return textOf(await call("POST", "ticket", undefined, bearer), "ticket");
    },
    async leave() {
      const kept = sessionStorage.getItem(STORAGE_KEY);
      sessionStorage.removeItem(STORAGE_KEY);
      if (kept !== null) await call("DELETE", "tab", undefined, kept);
    },
  };
}

function takeTicket(): string | undefined {
  const ticket = /^#ticket=([\w-]+)$/.exec(location.hash)?.[1];
  if (ticket !== undefined) history.replaceState(null, "", location.pathname);
  return ticket;
}

function textOf(answer: unknown, field: string): string {
  const value = isRecord(answer) ? answer[field] : undefined;
  if (typeof value === "string") return value;
  throw new ConnectionError("CONNECTION_FAILED", `The daemon's answer has no ${field}.`);
}
