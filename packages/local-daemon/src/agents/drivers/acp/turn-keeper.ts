import {
  type AddUserMessageParams,
  ConnectionError,
  type Logger,
  SessionError,
  type SessionId,
  type SessionNotification,
  type TokenUsage,
  type TraceContext,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../../limits/index.js";
import type { AgentEvents, AgentTurnEnd } from "../../agent.js";
import { AcpTurn } from "./acp-turn.js";
import type { AgentQuestions } from "./agent-questions.js";
import { type JsonRpcPeer, promptError } from "./json-rpc-peer.js";
import { addUsage, endOfError, endOfResult, usageOfResult } from "./turn-end.js";
import { TurnWriter } from "./turn-writer.js";

/** Options of {@link TurnKeeper}. */
export interface TurnKeeperOptions {
  readonly peer: JsonRpcPeer;
  readonly questions: AgentQuestions;
  readonly events: AgentEvents;
  readonly logger: Logger;
  readonly sessionId: SessionId;
  readonly now: () => number;
  /** The agent's own id of the session. */
  agentSessionId(): string;
  /** Whether the answer to a prompt ends the turn. Otherwise it means that the agent has taken the prompt (version 2). */
  isEndedByAnswer(): boolean;
  /** How a person logs in to the agent, as sentences. */
  wayToLogIn(): string;
  /** A turn has ended, whatever its reason. */
  onEnd(): void;
  /** The agent does not obey; it has to be ended. */
  giveUp(): void;
}

/** The turns of one agent: one prompt at a time, whatever the agent does with a second one, and one end of each. */
export class TurnKeeper {
  readonly #options: TurnKeeperOptions;
  #usage: TokenUsage | undefined;
  #turn: AcpTurn | undefined;
  /** Writes what the agent does between two turns. */
  #betweenTurns: TurnWriter;
  #cancelTimer: ReturnType<typeof setTimeout> | undefined;
  /** The agent has reported that it works, and not yet that it is idle (version 2). */
  #isBusy = false;

  constructor(options: TurnKeeperOptions) {
    this.#options = options;
    this.#betweenTurns = this.#makeWriter();
  }

  /** The running turn; undefined between turns. */
  get current(): AcpTurn | undefined {
    return this.#turn;
  }

  /** Writes what the agent does now, in the running turn or between turns. */
  get writer(): TurnWriter {
    return this.#turn?.writer ?? this.#betweenTurns;
  }

  /** Begins to count tokens from the usage of the conversation until now. */
  countFrom(usage: TokenUsage | undefined): void {
    this.#usage = usage;
  }

  /** Sends a prompt. Throws a `SessionError` (`SESSION_STATE`) while another one runs. */
  prompt(params: AddUserMessageParams, content: readonly Record<string, unknown>[], trace?: TraceContext): void {
    const { peer, events, sessionId, now, agentSessionId, isEndedByAnswer } = this.#options;
    if (this.#turn !== undefined) {
      const message = "The agent works on a prompt. Wait for its end, then send the next.";
      throw new SessionError("SESSION_STATE", message, { sessionId });
    }
    this.#betweenTurns.end(false);
    const turn = new AcpTurn({ params, events, now });
    this.#turn = turn;
    const onResult = (result: unknown) => (isEndedByAnswer() ? this.#ended(turn, result) : this.promptTaken());
    const options = { timeoutMs: 0, onResult };
    const prompt = { sessionId: agentSessionId(), prompt: content, ...(trace && { _meta: { ...trace } }) };
    const answer = peer.call("session/prompt", prompt, options);
    answer.catch((error: unknown) => this.#failed(turn, error));
    // Version 1 acknowledges nothing. The user's message is reported in a later tick than the prompt.
    setImmediate(() => turn.begin());
  }

  /** Version 2: the agent has taken the prompt into its conversation. It answers so, and echoes the prompt, in either order. */
  promptTaken(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.isTaken = true;
    turn.confirm();
  }

  /**
   * Version 2: the agent reports what it does. The turn ends when the agent becomes idle after it has taken the prompt. An idle
   * before that ends work of the agent's own; an idle that follows another one repeats it.
   */
  stateReported(update: Readonly<Record<string, unknown>>): void {
    const wasBusy = this.#isBusy;
    this.#isBusy = update.state !== "idle";
    const turn = this.#turn;
    if (this.#isBusy || turn === undefined || !turn.isTaken) return;
    if (!wasBusy && !turn.isCancelled) return;
    if (update.stopReason === "error") this.#failed(turn, promptError(update.error));
    else this.#ended(turn, update);
  }

  /** Cancels the running turn; nothing to do between turns. */
  interrupt(): void {
    const turn = this.#turn;
    if (turn === undefined || turn.isCancelled) return;
    const { peer, questions, logger, agentSessionId, giveUp } = this.#options;
    turn.isCancelled = true;
    // In this order: an agent must not read the cancel and then still wait for an answer that starts a command.
    questions.cancelAll();
    peer.notify("session/cancel", { sessionId: agentSessionId() });
    this.#cancelTimer = setTimeout(() => {
      logger.warn({}, "The agent did not end its turn after a cancel; it is stopped.");
      giveUp();
    }, AGENT_LIMITS.cancelMs);
  }

  /** The process has ended, and with it what is open. `details` are those of a turn that it ended. */
  exited(details: AgentTurnEnd["details"]): void {
    clearTimeout(this.#cancelTimer);
    this.#options.questions.clear();
    const turn = this.#turn;
    this.#turn = undefined;
    this.#options.onEnd();
    turn?.end({ reason: turn.isCancelled ? "cancelled" : "agent_exited", details });
    this.#betweenTurns.end(false);
  }

  /** The turn has ended; `result` has the reason and the usage, be it the prompt's answer or a state. */
  #ended(turn: AcpTurn, result: unknown): void {
    const usage = usageOfResult(result);
    if (usage !== undefined) {
      turn.confirm();
      this.#usage = addUsage(this.#usage, usage);
      const { sessionId } = this.#options;
      this.#notify({ type: "session_token_usage_changed", sessionId, tokenUsage: this.#usage });
    }
    this.#end(turn, () => endOfResult(result, turn.facts));
  }

  #failed(turn: AcpTurn, error: unknown): void {
    // The end of the process is reported by `exited`, with its exit code.
    if (error instanceof ConnectionError) return;
    this.#end(turn, () => {
      const end = endOfError(error, turn.facts, this.#options.wayToLogIn());
      if (end.reason !== "cancelled") this.#notify(errorNotification(String(end.details.message), this.#options.now()));
      return end;
    });
  }

  #end(turn: AcpTurn, endOf: () => AgentTurnEnd): void {
    if (this.#turn !== turn) return;
    clearTimeout(this.#cancelTimer);
    this.#options.questions.cancelAll();
    const end = endOf();
    this.#turn = undefined;
    this.#betweenTurns = this.#makeWriter();
    this.#options.onEnd();
    turn.end(end);
  }

  #notify(notification: SessionNotification): void {
    this.#options.events.onNotification(notification, undefined);
  }

  /** Between turns no state is reported: the daemon states idle at a turn's end, and nobody would state it again. */
  #makeWriter(): TurnWriter {
    const emit = (notification: SessionNotification) => {
      if (notification.type !== "droid_working_state_changed") this.#notify(notification);
    };
    return new TurnWriter({ turnId: undefined, now: this.#options.now, emit });
  }
}

function errorNotification(message: string, now: number): SessionNotification {
  return { type: "error", message, errorType: "AgentError", timestamp: new Date(now).toISOString() };
}
