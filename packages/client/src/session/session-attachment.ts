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
} from "@daemon-sdk/protocol";
import { given } from "../base/index.js";
import type { NewLink } from "../connection/index.js";
import type { RequestInbox } from "./request-inbox.js";
import type { EntryPlace, SessionCursor } from "./session-cursor.js";

/**
 * Why events are missing: `too-old`, the daemon no longer has them; `no-replay`, the daemon is a plain one, which keeps none;
 * `missing`, the daemon skipped them, which is a fault of its own.
 */
export type GapReason = "too-old" | "no-replay" | "missing";

/** Entries of a session that this client did not get, and what is known instead. */
export interface SessionGap {
  readonly reason: GapReason;
  /** The last entry before it, and the first place after it, where the daemon tells positions. */
  readonly from?: Position;
  readonly to?: Position;
  /** The session as it was found after it. */
  readonly loaded?: LoadSessionResult;
  /** Whether the daemon can tell what became of a message. */
  readonly offersReceipts?: boolean;
}

/** Options of {@link SessionAttachment}. */
export interface SessionAttachmentOptions {
  readonly cursor: SessionCursor;
  readonly inbox: RequestInbox;
  readonly logger: Logger;
  sessionId(): string;
  /** What `load_session` and `resume_session` are sent beside what they need; asked anew each time. */
  extensions(): Pick<LoadSessionParams, "inbox" | "credit">;
  /** A call that attaches the session is answered; called in the tick the answer is read. */
  onAttached(): void;
  /** Entries are missing; told before any later one. */
  onGap(gap: SessionGap): void;
  /** The session cannot be attached again. */
  onLost(error: Error): void;
}

/** One session's place in its journal, and the way back to it on a new link (docs/protocol.md §9 and §12, "Coming back"). */
export class SessionAttachment {
  readonly #options: SessionAttachmentOptions;
  readonly #cursor: SessionCursor;
  /** Whether the session was attached once. Until then there is nothing to come back to: its call is made again as a whole. */
  #isOpened = false;
  /** Requests up to here were listed as pending when the session was resumed, or are resolved; the replay tells them all the same. */
  #resolvedUntil: Position | undefined;
  #reattaching: Promise<void> | undefined;

  constructor(options: SessionAttachmentOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** The session is attached; what comes now lies after `position`. */
  opened(position: unknown): void {
    this.#isOpened = true;
    this.moveTo(position);
    this.#options.onAttached();
  }

  /** Entries go on after `position`. */
  moveTo(position: unknown): void {
    this.#cursor.moveTo(isPosition(position) ? position : undefined);
  }

  /** Whether a request is to be handled: not when it came early before, and not when it is resolved already. */
  takesRequest({ meta }: InboundRequest): boolean {
    const place = this.#take(meta);
    if (place === "duplicate" || place === "again" || meta?.resolved === true) return false;
    return this.#resolvedUntil === undefined || !isPosition(meta) || meta.seq > this.#resolvedUntil.seq;
  }

  /** Resolves when the call that attaches the session anew has ended, in whatever way; undefined while there is none. */
  get reattaching(): Promise<void> | undefined {
    return this.#reattaching;
  }

  /** Attaches the session to a link. Rejects when that is lost as well; whatever else goes wrong is the session's own end. */
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
      await this.#resumeOrLoad(link, this.#options.sessionId());
    } catch (error) {
      if (ConnectionError.is(error)) throw error;
      this.#options.onLost(error as Error);
    }
  }

  async #resumeOrLoad(link: NewLink, sessionId: string): Promise<void> {
    const after = this.#cursor.position;
    const canResume = link.capabilities.resume === true && after !== undefined;
    if (!canResume) return this.#load(link, sessionId, "no-replay");
    const { credit } = this.#options.extensions();
    try {
      await link.engine.request(
        METHODS.resumeSession,
        { sessionId, after, ...given({ credit }) },
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
    const { inbox, sessionId, onAttached } = this.#options;
    inbox.reconcile(sessionId(), pendingPermissions, pendingAskUserRequests);
    onAttached();
  }

  async #load({ engine, token, capabilities }: NewLink, sessionId: string, reason: GapReason): Promise<void> {
    const { onGap, extensions, inbox, onAttached } = this.#options;
    await engine.request(
      METHODS.loadSession,
      { ...extensions(), sessionId, token },
      {
        onResult: (result) => {
          const loaded = result as LoadSessionResult;
          const from = this.#cursor.position;
          this.moveTo(loaded.position);
          this.#resolvedUntil = undefined;
          const offersReceipts = capabilities.receipts === true;
          onGap({
            reason,
            loaded,
            offersReceipts,
            ...given({ from, to: loaded.position }),
          });
          inbox.reconcile(sessionId, loaded.pendingPermissions, loaded.pendingAskUserRequests);
          onAttached();
        },
      },
    );
  }

  #take(meta: EnvelopeMeta | undefined): EntryPlace {
    const place = this.#cursor.take(meta);
    if (place === "hole") this.missed();
    return place;
  }

  /** The cursor found a hole: entries never came. */
  missed(): void {
    const { logger, onGap, sessionId } = this.#options;
    const { hole: from, position: to } = this.#cursor;
    logger.error({ sessionId: sessionId(), from, to }, "Entries of a session never came");
    onGap({ reason: "missing", ...given({ from, to }) });
  }
}
