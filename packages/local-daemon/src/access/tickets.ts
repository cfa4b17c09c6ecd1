import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type CreateTicketResult, DaemonError, LIMITS } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import { type Bound, KeyPolicies } from "./key-policy.js";
import type { Principal } from "./principal.js";

/** Options of {@link Tickets}. */
export interface TicketsOptions {
  /** Wall clock in ms, for `expiresAt`; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock in ms, which decides the expiry; default `performance.now`. */
  readonly elapsed?: () => number;
  /** Quotas of keys. Default: none has one. */
  readonly policies?: KeyPolicies;
}

interface Ticket {
  readonly hash: Buffer;
  readonly principal: Principal;
  /** Of `elapsed`. */
  readonly until: number;
}

/**
 * Credentials for one connection each: 256 random bits, valid once, for a minute. For pages, which must have no permanent one.
 *
 * Only hashes are kept, in memory: no ticket outlives its daemon. A connection that a ticket authenticates has the principal of
 * the one that made it.
 */
export class Tickets {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #policies: KeyPolicies;
  #waiting: Ticket[] = [];

  constructor(options: TicketsOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#policies = options.policies ?? new KeyPolicies();
  }

  /**
   * Makes one. Throws `QUEUE_FULL` while `SERVING_LIMITS.tickets` of the person, or `ticketsPerKey` of a key or what its quota
   * is, wait to be used; those of others do not count.
   */
  create(principal: Principal): CreateTicketResult {
    this.#dropExpired();
    const { keyId } = principal;
    const { name, most } = this.#boundOf(keyId);
    const waiting = this.#waiting.filter((ticket) => ticket.principal.keyId === keyId);
    if (waiting.length >= most) {
      throw new DaemonError(
        "QUEUE_FULL",
        `${most} tickets of yours wait to be used already (${name}). Use some, or wait: each expires after ${LIMITS.ticketMs} ms.`,
      );
    }
    const ticket = randomBytes(32).toString("base64url");
    this.#waiting.push({ hash: hash(ticket), principal, until: this.#elapsed() + LIMITS.ticketMs });
    return { ticket, expiresAt: this.#now() + LIMITS.ticketMs };
  }

  /**
   * The principal of a ticket, which is consumed. Undefined for a ticket that was never made, was used, or has expired. All
   * are compared in constant time: the time does not show where they differ.
   */
  redeem(ticket: string): Principal | undefined {
    this.#dropExpired();
    const given = hash(ticket);
    const isMeant = this.#waiting.map((one) => timingSafeEqual(one.hash, given));
    const found = this.#waiting[isMeant.indexOf(true)];
    this.#waiting = this.#waiting.filter((one) => one !== found);
    return found?.principal;
  }

  /** Drops the unused tickets of these keys. */
  drop(keyIds: ReadonlySet<string>): void {
    this.#waiting = this.#waiting.filter(({ principal: { keyId } }) => keyId === undefined || !keyIds.has(keyId));
  }

  #boundOf(keyId: string | undefined): Bound {
    const name = keyId === undefined ? "tickets" : "ticketsPerKey";
    return this.#policies.quota(keyId, "tickets", { name, most: SERVING_LIMITS[name] });
  }

  #dropExpired(): void {
    const now = this.#elapsed();
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
  }
}

function hash(ticket: string): Buffer {
  return createHash("sha256").update(ticket).digest();
}
