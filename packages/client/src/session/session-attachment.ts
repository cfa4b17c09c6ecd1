import {
  ConnectionError,
  DaemonError,
  type EnvelopeMeta,
  type InboundRequest,
  isPosition,
  type LoadSessionParams,
  type LoadSessionResult,
  type Logger,
  METHODS,
  type Position,
  type ResumeSessionResult,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { NewLink } from "../connection/index.js";
import type { RequestInbox } from "./request-inbox.js";
import type { EntryRelation, SessionCursor } from "./session-cursor.js";

/**
 * Why events are missing. `too-old`: the daemon no longer has them. `no-replay`: a plain daemon keeps no events. `missing`: the
 * daemon skipped them, which is a fault of that daemon.
 */
export type GapReason = "too-old" | "no-replay" | "missing";

/** Entries of a session that this client did not receive, and what is known instead. */
export interface SessionGap {
  readonly reason: GapReason;
  /** Position of the last entry before the gap, and the first position after it, where the daemon offers positions. */
  readonly from?: Position;
  readonly to?: Position;
  /** The session as it was loaded after the gap. */
  readonly loaded?: LoadSessionResult;
  /** Whether the daemon offers `receipts`. */
  readonly offersReceipts?: boolean;
}

/** The session of a {@link SessionAttachment}. */
export interface SessionAttachmentHost {
  /** Its position. */
  readonly feed: SessionCursor;
  readonly inbox: RequestInbox;
  readonly logger: Logger;
  /** Its id. Throws when there is no session, or no connection. */
  requireSession(): string;
  /** Optional params of `load_session` and `resume_session`. Called anew for each call. */
  extensions(): Pick<LoadSessionParams, "inbox" | "credit">;
  /** A call that attaches the session is answered; called in the tick the answer is read. */
  onAttached(): void;
  /** Entries are missing. Called before any later entry is delivered. */
  onGap(gap: SessionGap): void;
  /** The session cannot be attached again. */
  onLost(error: Error): void;
}

/**
 * Attaches one session: for the first time, and again to each new link, at its position (docs/protocol.md §9 and §12, "Coming
 * back").
 */
export class SessionAttachment {
  readonly #host: SessionAttachmentHost;
  /** Whether the session was attached once. Until then a new link repeats the first call instead. */
  #isOpened = false;
  /**
   * Requests up to this position were listed as pending when the session was resumed, or are resolved. The replay sends them,
   * too.
   */
  #resolvedUntil: Position | undefined;
  #reattaching: Promise<void> | undefined;

  constructor(host: SessionAttachmentHost) {
    this.#host = host;
  }

  /** The session is attached; the next entries lie after `position`. */
  opened(position: unknown): void {
    this.#isOpened = true;
    this.moveTo(position);
    this.#host.onAttached();
  }

  /** The next entries lie after `position`. */
  moveTo(position: unknown): void {
    this.#host.feed.moveTo(isPosition(position) ? position : undefined);
  }

  /** Whether a request has to be handled: not if its early copy was received before, and not if it is resolved already. */
  takesRequest({ meta }: InboundRequest): boolean {
    const place = this.#take(meta);
    if (place === "duplicate" || place === "again" || meta?.resolved === true) return false;
    return this.#resolvedUntil === undefined || !isPosition(meta) || meta.seq > this.#resolvedUntil.seq;
  }

  /**
   * Resolves when the call in flight that attaches the session anew has ended, with or without success; undefined when there is
   * none.
   */
  get reattaching(): Promise<void> | undefined {
    return this.#reattaching;
  }

  /** Attaches the session to a link. Rejects when the link is lost; every other failure ends the session by `onLost`. */
  reattach(link: NewLink): Promise<void> {
    if (!this.#isOpened) return Promise.resolve();
    const done = this.#reattach(link);
    const reattaching = done
      .catch(() => {})
      .then(() => {
        if (this.#reattaching === reattaching) this.#reattaching = undefined;
      });
    this.#reattaching = reattaching;
    return done;
  }

  async #reattach(link: NewLink): Promise<void> {
    try {
      await this.#resumeOrLoad(link, this.#host.requireSession());
    } catch (error) {
      if (ConnectionError.is(error)) throw error;
      this.#host.onLost(error as Error);
    }
  }

  async #resumeOrLoad(link: NewLink, sessionId: string): Promise<void> {
    const after = this.#host.feed.position;
    const canResume = link.capabilities.resume === true && after !== undefined;
    if (!canResume) return this.#load(link, sessionId, "no-replay");
    const { credit } = this.#host.extensions();
    try {
      await link.engine.request(
        METHODS.resumeSession,
        { sessionId, after, ...withoutUndefined({ credit }) },
        {
          onResult: (result) => this.#resumed(result as ResumeSessionResult),
        },
      );
    } catch (error) {
      if (!DaemonError.is(error, "RESUME_TOO_OLD")) throw error;
      await this.#load(link, sessionId, "too-old");
    }
  }

  #resumed({ position, pendingPermissions, pendingAskUserRequests }: ResumeSessionResult): void {
    this.#resolvedUntil = position;
    this.#host.inbox.reconcile(this.#host.requireSession(), pendingPermissions, pendingAskUserRequests);
    this.#host.onAttached();
  }

  async #load({ engine, token, capabilities }: NewLink, sessionId: string, reason: GapReason): Promise<void> {
    await engine.request(
      METHODS.loadSession,
      { ...this.#host.extensions(), sessionId, token },
      {
        onResult: (result) => {
          const loaded = result as LoadSessionResult;
          const from = this.#host.feed.position;
          this.moveTo(loaded.position);
          this.#resolvedUntil = undefined;
          const offersReceipts = capabilities.receipts === true;
          this.#host.onGap({
            reason,
            loaded,
            offersReceipts,
            ...withoutUndefined({ from, to: loaded.position }),
          });
          this.#host.inbox.reconcile(sessionId, loaded.pendingPermissions, loaded.pendingAskUserRequests);
          this.#host.onAttached();
        },
      },
    );
  }

  #take(meta: EnvelopeMeta | undefined): EntryRelation {
    const place = this.#host.feed.take(meta);
    if (place === "hole") this.missed();
    return place;
  }

  /** The cursor found a hole: entries were never received. */
  missed(): void {
    const { hole: from, position: to } = this.#host.feed;
    this.#host.logger.error(
      { sessionId: this.#host.requireSession(), from, to },
      "Entries of a session were never received",
    );
    this.#host.onGap({ reason: "missing", ...withoutUndefined({ from, to }) });
  }
}
