import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type CreateTicketResult, DaemonError, LIMITS } from "@daemon-sdk/protocol";
import type { Principal } from "./principal.js";

/** Options of {@link Tickets}. */
export interface TicketsOptions {
  /** Wall clock in ms, for what people and pages are told; default `Date.now`. */
  readonly now?: () => number;
  /** A clock in ms that nobody sets, for what is decided; default the process's own. */
  readonly elapsed?: () => number;
}

interface Ticket {
  readonly hash: Buffer;
  readonly principal: Principal;
  /** Of `elapsed`. */
  readonly until: number;
}

/**
 * Credentials for one connection each: 256 random bits, good once, for a minute. For pages, which must hold no lasting one.
 *
 * Only hashes are kept, in memory: no ticket outlives its daemon. What a ticket lets in speaks for whoever made it.
 */
export class Tickets {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  #waiting: Ticket[] = [];

  constructor(options: TicketsOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Makes one. Throws `QUEUE_FULL` while `LIMITS.tickets` wait to be used. */
  create(principal: Principal): CreateTicketResult {
    this.#dropExpired();
    if (this.#waiting.length >= LIMITS.tickets) {
      throw new DaemonError(
        "QUEUE_FULL",
        `${LIMITS.tickets} tickets wait to be used already. Use some, or wait: each expires after ${LIMITS.ticketMs} ms.`,
      );
    }
    const ticket = randomBytes(32).toString("base64url");
    this.#waiting.push({ hash: hash(ticket), principal, until: this.#elapsed() + LIMITS.ticketMs });
    return { ticket, expiresAt: this.#now() + LIMITS.ticketMs };
  }

  /**
   * For whom the ticket speaks; it is used up by that. Undefined for one that was never made, was used, or has expired. All
   * are compared, in constant time: it tells nothing of where they differ.
   */
  redeem(ticket: string): Principal | undefined {
    this.#dropExpired();
    const given = hash(ticket);
    const isMeant = this.#waiting.map((one) => timingSafeEqual(one.hash, given));
    const found = this.#waiting[isMeant.indexOf(true)];
    this.#waiting = this.#waiting.filter((one) => one !== found);
    return found?.principal;
  }

  #dropExpired(): void {
    const now = this.#elapsed();
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
  }
}

function hash(ticket: string): Buffer {
  return createHash("sha256").update(ticket).digest();
}
