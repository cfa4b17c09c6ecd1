import { SERVING_LIMITS } from "../limits/index.js";

/** A large message that has its turn, or waits for it. */
export interface LargeTurn {
  /** It was handled, or is given up: the next one of its principal has its turn. */
  end(): void;
}

interface Waiting extends LargeTurn {
  begin(): void;
}

/**
 * Bounds how many large messages of one principal arrive or are handled at a time, on all its connections together. The links of
 * the others are not read.
 */
export class LargeTurns {
  readonly #byPrincipal = new Map<string | undefined, { working: number; waiting: Waiting[] }>();

  /** @param setPaused stops reading the link until the message has its turn */
  take(keyId: string | undefined, setPaused: (isPaused: boolean) => void): LargeTurn {
    const turns = this.#byPrincipal.get(keyId) ?? { working: 0, waiting: [] };
    this.#byPrincipal.set(keyId, turns);
    const most = keyId === undefined ? SERVING_LIMITS.largeMessages : SERVING_LIMITS.largeMessagesPerKey;
    let state: "waiting" | "working" | "ended" = "waiting";
    const turn: Waiting = {
      begin: () => {
        state = "working";
        turns.working++;
        setPaused(false);
      },
      end: () => {
        if (state === "working") turns.working--;
        else if (state === "waiting") turns.waiting = turns.waiting.filter((other) => other !== turn);
        if (state === "ended") return;
        state = "ended";
        if (turns.working < most) turns.waiting.shift()?.begin();
        if (turns.working === 0) this.#byPrincipal.delete(keyId);
      },
    };
    if (turns.working < most) turn.begin();
    else {
      turns.waiting.push(turn);
      setPaused(true);
    }
    return turn;
  }
}
