import { METHODS, type Position, type SessionMessage, type SessionNotification } from "@daemon-sdk/protocol";
import type { DaemonLink } from "./daemon-link.js";

/** The turn under way at a position. */
export interface RunningTurn {
  /** Place of its prompt among the messages: those from here on are in the notifications. */
  readonly from: number;
  readonly notifications: readonly SessionNotification[];
}

/** Reads what a turn that still runs has sent, because a conversation holds whole messages and no tool that runs. */
export class TurnHistory {
  readonly #link: DaemonLink;
  readonly #sessionId: string;

  constructor(link: DaemonLink, sessionId: string) {
    this.#link = link;
    this.#sessionId = sessionId;
  }

  /** The entries of the turn of the last prompt up to a position; undefined when the journal has not all of them. */
  async running(messages: readonly SessionMessage[], until: Position): Promise<RunningTurn | undefined> {
    const from = messages.findLastIndex(({ role }) => role === "user");
    const messageId = messages[from]?.id;
    if (messageId === undefined) return undefined;
    const notifications: SessionNotification[] = [];
    let fromSeq: number | undefined;
    do {
      const params = { sessionId: this.#sessionId, messageId, ...(fromSeq !== undefined && { fromSeq }) };
      const page = await this.#link.request(METHODS.getTurnEvents, params);
      if (page.messages !== undefined) return undefined;
      const read = page.events.filter(({ seq }) => seq <= until.seq);
      notifications.push(...read.map(({ notification }) => notification));
      fromSeq = read.length < page.events.length ? undefined : page.nextSeq;
    } while (fromSeq !== undefined && fromSeq <= until.seq);
    return notifications.length === 0 ? undefined : { from, notifications };
  }
}
