import type { Logger, TraceContext } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "./access/index.js";
import type { DaemonMetrics } from "./metrics/index.js";
import type { TurnTraces } from "./tracing/index.js";
import type { ObservedTurn, TurnObserver, TurnPlace } from "./turns/index.js";

/** Options of {@link TurnReports}. */
export interface TurnReportsOptions {
  readonly logger: Logger;
  readonly metrics: DaemonMetrics;
  readonly policies: KeyPolicies;
  /** Absent where the process has no OpenTelemetry. */
  readonly traces?: TurnTraces | undefined;
}

/** What a daemon reports of its turns: one line of the log for each step, its metrics, and its spans. */
export class TurnReports implements TurnObserver {
  readonly #options: TurnReportsOptions;

  constructor(options: TurnReportsOptions) {
    this.#options = options;
  }

  onAccepted(turn: ObservedTurn, place: TurnPlace): void {
    const { logger, metrics, traces } = this.#options;
    traces?.accepted(turn, place);
    metrics.turnsAccepted.add();
    logger.info({ ...this.#names(turn, place), bytes: turn.row.promptBytes }, "a turn was accepted");
  }

  /** Without OpenTelemetry in this process the agent gets the trace of the client. */
  onHanded(turn: ObservedTurn, place: TurnPlace): TraceContext | undefined {
    const { logger, metrics, traces } = this.#options;
    const { row, handedAt = row.createdAt } = turn;
    const waitMs = handedAt - row.createdAt;
    metrics.turnsHanded.add();
    metrics.turnWait.record(waitMs);
    logger.info({ ...this.#names(turn, place), waitMs }, "a turn was handed to its agent");
    return traces === undefined ? row.trace : traces.handed(turn, place);
  }

  onEnded(turn: ObservedTurn, place: TurnPlace): void {
    const { logger, metrics, traces } = this.#options;
    traces?.ended(turn);
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
