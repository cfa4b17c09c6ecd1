import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Principal } from "./principal.js";

/** A credential that was made for one tab. */
export interface TabCredential {
  readonly credential: string;
  /** Unix milliseconds at which the credential ends when it is not used before. */
  readonly expiresAt: number;
}

/** Options of {@link TabCredentials}. */
export interface TabCredentialsOptions {
  /** Wall clock in ms, for `expiresAt`; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock in ms, which decides the expiry; default `performance.now`. */
  readonly elapsed?: () => number;
}

interface Tab {
  readonly hash: Buffer;
  readonly principal: Principal;
  /** Of `elapsed`. */
  until: number;
}

/**
 * Credentials of the console's tabs. A tab exchanges the ticket of its link for one, and gets a ticket for each connection with it;
 * so a reload of the tab needs no new link.
 *
 * A credential ends `SERVING_LIMITS.tabMs` after its last use, and with the daemon: only its hash is kept, in memory. Unlike a
 * cookie it is sent to no other port of the machine.
 */
export class TabCredentials {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  #open: Tab[] = [];

  constructor(options: TabCredentialsOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Makes one. While `SERVING_LIMITS.tabs` exist, the one that was not used for longest ends. */
  create(principal: Principal): TabCredential {
    this.#dropExpired();
    if (this.#open.length >= SERVING_LIMITS.tabs) this.#open = this.#open.sort((a, b) => a.until - b.until).slice(1);
    const credential = randomBytes(32).toString("base64url");
    this.#open.push({ hash: hash(credential), principal, until: this.#elapsed() + SERVING_LIMITS.tabMs });
    return { credential, expiresAt: this.#now() + SERVING_LIMITS.tabMs };
  }

  /** The principal of a credential, whose time begins anew; undefined for one that does not exist. Compared in constant time. */
  use(credential: string): Principal | undefined {
    const tab = this.#find(credential);
    if (tab === undefined) return undefined;
    tab.until = this.#elapsed() + SERVING_LIMITS.tabMs;
    return tab.principal;
  }

  /** Ends one. */
  end(credential: string): void {
    const tab = this.#find(credential);
    this.#open = this.#open.filter((one) => one !== tab);
  }

  /** Ends those of these keys. */
  drop(keyIds: ReadonlySet<string>): void {
    this.#open = this.#open.filter(({ principal: { keyId } }) => keyId === undefined || !keyIds.has(keyId));
  }

  #find(credential: string): Tab | undefined {
    this.#dropExpired();
    const given = hash(credential);
    const isMeant = this.#open.map((one) => timingSafeEqual(one.hash, given));
    return this.#open[isMeant.indexOf(true)];
  }

  #dropExpired(): void {
    const now = this.#elapsed();
    this.#open = this.#open.filter(({ until }) => until > now);
  }
}

function hash(credential: string): Buffer {
  return createHash("sha256").update(credential).digest();
}
