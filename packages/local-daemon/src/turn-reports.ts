import type { Logger } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "./access/index.js";
import type { DaemonMetrics } from "./metrics/index.js";
import type { ObservedTurn, TurnObserver, TurnPlace } from "./turns/index.js";

/** Options of {@link TurnReports}. */
export interface TurnReportsOptions {
  readonly logger: Logger;
  readonly metrics: DaemonMetrics;
  readonly policies: KeyPolicies;
}

/** What a daemon reports of its turns: one line of the log for each step, and its metrics. */
export class TurnReports implements TurnObserver {
  readonly #options: TurnReportsOptions;

  constructor(options: TurnReportsOptions) {
    this.#options = options;
  }

  onAccepted(turn: ObservedTurn, place: TurnPlace): void {
    const { logger, metrics } = this.#options;
    metrics.turnsAccepted.add();
    logger.info({ ...this.#names(turn, place), bytes: turn.row.promptBytes }, "a turn was accepted");
  }

  onHanded(turn: ObservedTurn, place: TurnPlace): void {
    const { logger, metrics } = this.#options;
    const { row, handedAt = row.createdAt } = turn;
    const waitMs = handedAt - row.createdAt;
    metrics.turnsHanded.add();
    metrics.turnWait.record(waitMs);
    logger.info({ ...this.#names(turn, place), waitMs }, "a turn was handed to its agent");
  }

  onEnded(turn: ObservedTurn, place: TurnPlace): void {
    const { logger, metrics } = this.#options;
    const { reason = "", endedAt = 0, createdAt } = turn.row;
    metrics.turnEnded(reason, turn.handedAt, endedAt);
    const durationMs = endedAt - (turn.handedAt ?? createdAt);
    logger.info({ ...this.#names(turn, place), reason, durationMs }, "a turn ended");
  }

  #names({ row }: ObservedTurn, { owner, agentName }: TurnPlace): object {
    const key = this.#options.policies.nameOf(owner);
    return { session: row.sessionId, turn: row.id, agent: agentName, principal: key };
  }
}
