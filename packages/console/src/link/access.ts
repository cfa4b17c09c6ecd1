import { ConnectionError, DAEMON_ERROR_CODES, DaemonError, type DaemonErrorCode, isRecord } from "@daemon-sdk/protocol";

/** Where a tab keeps its credential: readable by this origin, port included, and gone with the tab. */
const STORAGE_KEY = "daemon-sdk.console.tab";

/** How this tab gets a ticket for each of its connections. */
export interface Access {
  /**
   * A ticket for one connection. Rejects with `AUTH_REJECTED` when the link was used or the credential of the tab has ended, with
   * `CONNECTION_FAILED` when the daemon does not answer.
   */
  ticket(): Promise<string>;
  /**
   * Asks the daemon something beside the session wire. Resolves with undefined where the daemon has nothing of it for this tab. Rejects as
   * {@link Access.ticket}, and with what the daemon states.
   */
  call(path: string, body: object): Promise<unknown>;
  /** Ends the credential of this tab. */
  leave(): Promise<void>;
}

/**
 * Takes the ticket out of the address, before anything else of the page runs: it is in no history and no bookmark. The first
 * `ticket()` exchanges it for the credential of this tab, which a reload finds again.
 */
export function createAccess(): Access {
  const ticket = /^#ticket=([\w-]+)$/.exec(location.hash)?.[1];
  if (ticket !== undefined) history.replaceState(null, "", location.pathname);
  return new TabAccess(ticket);
}

class TabAccess implements Access {
  #fromLink: string | undefined;
  #exchange: Promise<string> | undefined;
  #hasLeft = false;

  constructor(fromLink: string | undefined) {
    this.#fromLink = fromLink;
  }

  async ticket(): Promise<string> {
    const bearer = await this.#credential();
    return textOf(await call("POST", "ticket", { bearer }), "ticket");
  }

  async call(path: string, body: object): Promise<unknown> {
    return call("POST", path, { body, bearer: await this.#credential() });
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    this.#fromLink = undefined;
    const kept = sessionStorage.getItem(STORAGE_KEY);
    sessionStorage.removeItem(STORAGE_KEY);
    // The daemon may be making it just now.
    const bearer = kept ?? (await this.#exchange?.catch(() => undefined));
    if (bearer !== undefined) await call("DELETE", "tab", { bearer });
  }

  async #credential(): Promise<string> {
    if (this.#fromLink !== undefined) await this.#redeem(this.#fromLink);
    const kept = sessionStorage.getItem(STORAGE_KEY);
    if (kept === null)
      throw new ConnectionError("AUTH_REJECTED", "This tab has no access. Open the link of the daemon.");
    return kept;
  }

  async #redeem(ticket: string): Promise<void> {
    this.#exchange ??= call("POST", "tab", { body: { ticket } }).then((answer) => textOf(answer, "credential"));
    try {
      const bearer = await this.#exchange;
      if (!this.#hasLeft) sessionStorage.setItem(STORAGE_KEY, bearer);
    } catch (error) {
      this.#exchange = undefined;
      // A link that was opened a second time leaves a tab that has its credential as it is.
      if (!DaemonError.is(error, "AUTH_REJECTED") || sessionStorage.getItem(STORAGE_KEY) === null) throw error;
    }
    this.#fromLink = undefined;
  }
}

/** One of the console's own calls (docs/security.md, "The console"). */
async function call(method: string, path: string, { body, bearer }: { body?: object; bearer?: string }) {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
  const init: RequestInit = { method, headers, credentials: "omit", cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(`/console/${path}`, init).catch((cause: unknown) => {
    throw new ConnectionError("CONNECTION_FAILED", "The daemon does not answer.", { cause });
  });
  if (response.ok) return response.status === 204 ? undefined : ((await response.json()) as unknown);
  // What is not for this tab is as if it were not there.
  if (response.status === 403) return undefined;
  if (response.status === 502) throw await statedFailure(response);
  // 404: a daemon that was started since then, and that serves no console until its first link.
  const isRefused = response.status === 401 || response.status === 404;
  const code = isRefused ? "AUTH_REJECTED" : "CONNECTION_FAILED";
  throw new ConnectionError(code, `The daemon answered ${response.status}.`);
}

/** What the daemon could not do elsewhere, and why. */
async function statedFailure(response: Response): Promise<DaemonError> {
  const answer: unknown = await response.json().catch(() => undefined);
  const { code, error } = isRecord(answer) ? answer : {};
  const known = typeof code === "string" && code in DAEMON_ERROR_CODES ? (code as DaemonErrorCode) : "INTERNAL";
  return new DaemonError(known, typeof error === "string" ? error : "The daemon states no reason.");
}

function textOf(answer: unknown, field: string): string {
  const value = isRecord(answer) ? answer[field] : undefined;
  if (typeof value === "string") return value;
  throw new ConnectionError("CONNECTION_FAILED", `The daemon's answer has no ${field}.`);
}
