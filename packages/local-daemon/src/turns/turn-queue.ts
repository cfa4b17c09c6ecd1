import { type AddUserMessageParams, type MessageId, messageId, newId, type SessionMessage } from "@daemon-sdk/protocol";
import type { AgentFault, AgentTurnEnd } from "../agents/index.js";
import { messageText } from "../conversation/index.js";
import { failpoint } from "../failpoint.js";
import type { SessionLog } from "../journal/index.js";
import { otherBody } from "../refusals.js";
import type { TurnRow } from "../storage/index.js";
import { type CarriedTurn, carriedTurn, type HeldTurn } from "./carried-turn.js";
import { discardQueued } from "./discard-queued.js";
import { endEventOf, type MessageEvent, nextMessageState } from "./message.machine.js";
import { acceptedRow, type IncomingMessage, type OpenTurn, openTurn } from "./open-turn.js";
import { PromptHold } from "./prompt-hold.js";
import { isSamePrompt, promptSlices, readPrompt } from "./prompts.js";
import type { Queued } from "./queue-room.js";
import { closingNotifications, endOfFailure, endWithLoss, endWithWhy, LOST_END, usageIn } from "./turn-end.js";
import type { TurnQueueOptions } from "./turn-queue-options.js";

/**
 * The prompts of one session: each is accepted once, sent to the agent one at a time, and ended exactly once.
 *
 * A message is stored before it is acknowledged, and its state `handed` before the agent gets the message. So after a crash a
 * message in state `accepted` may be sent to an agent again, and one in a later state may not. A turn ends with
 * `agent_turn_completed` with the id of its message, then the working state `idle`. The daemon writes both, not the agent.
 */
export class TurnQueue {
  readonly #options: TurnQueueOptions;
  readonly #log: SessionLog;
  #active: OpenTurn | undefined;
  readonly #waiting: OpenTurn[] = [];
  readonly #queued: Queued;
  readonly #idleWaiters: (() => void)[] = [];
  #adding: Promise<unknown> = Promise.resolve();
  #addingCount = 0;
  #discardingCount = 0;
  #lastOrdinal = 0;
  readonly #hold: PromptHold;

  /** @param options.isShut whether the session is closed, and takes no messages until {@link reopen} */
  constructor(options: TurnQueueOptions & { lastOrdinal: number; isShut: boolean }) {
    this.#options = options;
    this.#hold = new PromptHold(options.log.sessionId, options.isShut);
    this.#log = options.log;
    this.#lastOrdinal = options.lastOrdinal;
    this.#queued = { sessionId: options.log.sessionId, owner: options.owner, turns: 0, bytes: 0 };
  }

  /** The running turn, or the one whose prompt is being sent to the agent. */
  get active(): Readonly<OpenTurn> | undefined {
    return this.#active;
  }

  /** True while a turn runs, is queued, or is being accepted or discarded. */
  get isBusy(): boolean {
    const isChanging = this.#addingCount > 0 || this.#discardingCount > 0;
    return isChanging || this.#active !== undefined || this.#waiting.length > 0;
  }

  /** Queued turns, in order. */
  get waiting(): readonly OpenTurn[] {
    return this.#waiting;
  }

  /** The present row of a message whose turn has not ended. */
  find(id: MessageId): TurnRow | undefined {
    return this.#openTurn(id)?.row;
  }

  /**
   * Accepts a message; resolves when it is stored. A repeated id with the same content changes nothing, and resolves with the
   * stored row. With other content it is refused with -32602.
   * @param message.large the whole params, of which `params` is then the outline
   */
  add(params: AddUserMessageParams, message: IncomingMessage): Promise<TurnRow | undefined> {
    // One at a time, so that messages are in the order of their ordinals.
    this.#addingCount++;
    const adding = this.#adding.then(() => this.#add(params, message)).finally(() => this.#addingCount--);
    this.#adding = adding.catch(() => {});
    return adding;
  }

  /**
   * Restores the open turns of an earlier daemon. A turn in state `accepted` is queued again, and sent to the agent after
   * {@link release}. A turn that an agent may have received ends as `daemon_restarted`, unless its agent works on.
   */
  restore(rows: readonly TurnRow[], held?: HeldTurn): void {
    this.#hold.isHeld = true;
    for (const row of rows) {
      const turn = openTurn(row);
      if (row.id === held?.turn.id) this.#continue(turn, held);
      else if (row.state === "accepted") {
        this.#options.services.room.add(this.#queued, row.promptBytes);
        this.#enqueue(turn);
      } else this.#end(turn, LOST_END);
    }
    // `release` is called only for queues with queued turns.
    this.#hold.isHeld = this.#waiting.length > 0;
  }

  /** Takes the running turn out without an end: its agent works on for another daemon. Undefined when no agent has a prompt. */
  handOver(): { readonly turn: CarriedTurn; readonly taken: Promise<void> | undefined } | undefined {
    const turn = this.#active;
    if (turn?.agent === undefined) return undefined;
    const carried = carriedTurn(turn);
    clearTimeout(turn.timer);
    this.#vacate();
    return { turn: carried, taken: turn.taken };
  }

  /** Stops accepting messages and sending prompts. The running turn continues; queued ones stay stored as accepted. */
  drain(): void {
    this.#hold.isDraining = true;
    this.#holdPrompts();
  }

  /** Sends no prompts until {@link unpause}. The running turn continues; messages are accepted, and wait. */
  pause(): void {
    this.#hold.isPaused = true;
    this.#holdPrompts();
  }

  /** Refuses messages and interrupts from now on, because the machine `to` is to have the session. Resolves when what came before is stored. Call {@link pause} before. */
  async freeze(to: string): Promise<void> {
    this.#hold.freeze(to);
    await this.#adding;
  }

  /** Ends {@link pause} and {@link freeze}. */
  unpause(): void {
    this.#hold.unpause();
    this.#pump();
  }

  /** Sends prompts again. */
  release(): void {
    this.#hold.release();
    this.#pump();
  }

  #holdPrompts(): void {
    this.#hold.isHeld = true;
    // A message whose agent has not started waits as well.
    const turn = this.#active;
    if (turn?.row.state !== "accepted") return;
    this.#waiting.unshift(turn);
    this.#options.services.room.add(this.#queued, turn.row.promptBytes);
    turn.abort?.abort();
    this.#vacate();
  }

  /** Resolves when no turn runs. */
  whenIdle(): Promise<void> {
    if (this.#active === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Refuses messages at once, because the session is closed, and ends every turn as cancelled. Resolves when all have ended. */
  async shut(message: string): Promise<void> {
    this.#hold.isShut = true;
    this.#hold.isHeld = true;
    await this.#discardWaiting();
    this.endRunning({ reason: "cancelled", details: { message } });
  }

  /** Accepts messages again after {@link shut}. */
  reopen(): void {
    this.#hold.isShut = false;
    this.release();
  }

  /** Ends the running turn without its agent. */
  endRunning(end: AgentTurnEnd): void {
    if (this.#active !== undefined) this.#end(this.#active, end);
  }

  /**
   * Ends the running turn and all queued ones. Resolves when the agent has accepted the interrupt; notifications of the turn
   * report the end. An agent that does not end the turn in time is stopped.
   * @param messageId interrupts only if that message's turn runs; if it is queued, ends it alone; else has no effect
   */
  async interrupt(messageId?: string): Promise<void> {
    // Includes a message that was received before and is being stored.
    await this.#adding;
    this.#hold.expectUnfrozen();
    const turn = this.#active;
    const isRunning = messageId === undefined || messageId === turn?.row.id;
    await this.#discardWaiting(isRunning ? undefined : messageId);
    // Another turn may run by now.
    if (isRunning && turn === this.#active) await this.interruptRunning();
  }

  /** As {@link interrupt}, but queued turns stay queued. The turn's end states `why`, a reason of the daemon's own. */
  async interruptRunning(why?: string): Promise<void> {
    const turn = this.#active;
    if (turn === undefined) return;
    turn.why ??= why;
    if (turn.agent === undefined) {
      this.#end(turn, { reason: "cancelled", details: {} });
      return;
    }
    turn.timer ??= setTimeout(() => this.#enforce(turn), this.#options.services.limits.agentInterruptMs);
    await turn.agent.interrupt().catch((error: unknown) => {
      this.#options.services.logger.warn(
        { session: this.#log.sessionId, error: String(error) },
        "the agent refused an interrupt",
      );
    });
  }

  /** Records that the agent confirmed the prompt. */
  started(): void {
    const turn = this.#active;
    if (turn === undefined || !this.#step(turn, "start")) return;
    this.#log.save({ kind: "turn", row: turn.row });
    failpoint("message-running");
  }

  /** Ends the running turn, as the agent reported. */
  ended(end: AgentTurnEnd): void {
    const turn = this.#active;
    if (turn?.agent !== undefined) this.#end(turn, endWithLoss(end, turn));
  }

  /** The agent sent something that clients will not get. */
  lost(fault: AgentFault): void {
    if (this.#active !== undefined) this.#active.loss ??= fault;
  }

  /** Records a new message of the conversation. The assistant's last message with text is the running turn's answer. */
  answered(message: SessionMessage): void {
    const turn = this.#active;
    if (turn === undefined || message.role !== "assistant" || messageText(message) === "") return;
    turn.row = { ...turn.row, answerId: message.id };
    // In the transaction of the message, so that a receipt always has the answer.
    this.#log.save({ kind: "turn", row: turn.row });
  }

  async #add(params: AddUserMessageParams, message: IncomingMessage): Promise<TurnRow | undefined> {
    const { requestId, starter, large, trace } = message;
    const { services, owner } = this.#options;
    const { store, room, storedRoom, now } = services;
    const id = messageId(params.messageId ?? newId());
    const { sessionId } = this.#log;
    const known = this.#openTurn(id)?.row ?? (await store.readTurn(sessionId, id));
    const prompt = JSON.stringify({ ...params, sessionId, messageId: id });
    if (known !== undefined) {
      if (!(await isSamePrompt(store, known, { prompt, large }))) throw otherBody(id);
      return known;
    }
    this.#hold.expectOpen();
    const place = { sessionId, id, ordinal: this.#lastOrdinal + 1, requestId, trace, createdAt: now() };
    const row = acceptedRow(large ?? { bytes: Buffer.byteLength(prompt) }, place);
    room.check(this.#queued, row.promptBytes);
    storedRoom.check(sessionId, owner, row.promptBytes);
    this.#lastOrdinal = row.ordinal;
    // Now, because other sessions take messages meanwhile.
    room.add(this.#queued, row.promptBytes);
    try {
      for (const slice of large === undefined ? [] : promptSlices(sessionId, id, large)) await this.#log.commit(slice);
      failpoint("message-accepting");
      await this.#log.commit([{ kind: "turn", row, prompt }]);
    } catch (error) {
      room.remove(this.#queued, row.promptBytes);
      throw error;
    }
    failpoint("message-accepted");
    this.#options.session.onAccepted(params.text);
    const turn = openTurn(row, starter);
    this.#options.services.observer.onAccepted(turn, this.#options);
    this.#enqueue(turn);
    // After the acknowledgement is sent: a ready agent would answer in the same tick.
    setImmediate(() => {
      failpoint("message-acknowledged");
      this.#pump();
    });
    return undefined;
  }

  #openTurn(id: MessageId): OpenTurn | undefined {
    return this.#active?.row.id === id ? this.#active : this.#waiting.find(({ row }) => row.id === id);
  }

  #enqueue(turn: OpenTurn): void {
    this.#log.state.expect({ messageId: turn.row.id, requestId: turn.row.requestId });
    this.#waiting.push(turn);
  }

  #pump(): void {
    if (this.#active !== undefined || this.#hold.isHeld) return;
    this.#active = this.#waiting.shift();
    if (this.#active === undefined) return;
    this.#options.services.room.remove(this.#queued, this.#active.row.promptBytes);
    void this.#run(this.#active);
  }

  async #run(turn: OpenTurn): Promise<void> {
    turn.firstSeq = this.#log.lastSeq + 1;
    turn.row = { ...turn.row, firstSeq: turn.firstSeq };
    turn.abort = new AbortController();
    try {
      const agent = await this.#options.agent.ready(turn.abort.signal);
      // Nothing waits for it any more, and its error is expensive.
      turn.abort = undefined;
      const prompt = await readPrompt(this.#options.services.store, turn.row);
      // The turn may have been interrupted meanwhile, and has then ended.
      if (this.#active !== turn || !this.#step(turn, "hand")) return;
      failpoint("message-handing");
      await this.#log.commit([{ kind: "turn", row: turn.row }]);
      if (this.#active !== turn) return;
      failpoint("message-handed");
      turn.agent = agent;
      turn.taken = agent.prompt(prompt, turn.agentTrace);
      failpoint("message-written");
      await turn.taken;
      failpoint("message-taken");
    } catch (error) {
      this.#refused(turn, error);
    }
  }

  /** Goes on with a turn that ran under an earlier daemon. */
  #continue(turn: OpenTurn, { turn: { firstSeq, handedAt, isInterrupted, loss }, agent, taken }: HeldTurn): void {
    Object.assign(turn, { firstSeq, handedAt, loss, agent, taken });
    this.#active = turn;
    if (isInterrupted)
      turn.timer = setTimeout(() => this.#enforce(turn), this.#options.services.limits.agentInterruptMs);
    taken.catch((error: unknown) => this.#refused(turn, error));
  }

  /** Ends a turn whose prompt did not reach the agent, or was refused by it. */
  #refused(turn: OpenTurn, error: unknown): void {
    if (this.#active !== turn) return;
    const end = endOfFailure(error);
    const { code, message } = end.details;
    this.#options.services.logger.warn({ session: this.#log.sessionId, code }, message);
    // After a time-out the agent may still act on the prompt.
    if (code === "REQUEST_TIMEOUT") void this.#options.agent.stop();
    this.#end(turn, end);
  }

  #enforce(turn: OpenTurn): void {
    if (this.#active !== turn) return;
    const session = this.#log.sessionId;
    this.#options.services.logger.warn({ session }, "the agent did not end an interrupted turn: it is stopped");
    void this.#options.agent.stop();
  }

  #end(turn: OpenTurn, { reason, details }: AgentTurnEnd): void {
    if (!this.#step(turn, endEventOf(reason), reason)) return;
    clearTimeout(turn.timer);
    turn.abort?.abort();
    this.#options.session.onEnding();
    // The agent's own count of the turn stands.
    const tokenUsage = details.tokenUsage ?? (turn === this.#active ? this.#options.session.usage() : undefined);
    const end = endWithWhy({ reason, details: tokenUsage === undefined ? details : { ...details, tokenUsage } }, turn);
    const words = closingNotifications(turn.row.id, end, this.#log.state.isBusy, this.#options.services.now());
    for (const notification of words) this.#log.append(notification);
    turn.row = { ...turn.row, lastSeq: this.#log.lastSeq, tokenUsage: usageIn(words) };
    this.#log.save({ kind: "turn", row: turn.row });
    failpoint("message-ending");
    if (this.#active === turn) this.#vacate();
  }

  /** No turn runs any more. */
  #vacate(): void {
    this.#active = undefined;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
    this.#pump();
  }

  /** Ends queued turns, at once; their entries follow when their texts were read. */
  async #discardWaiting(messageId?: string): Promise<void> {
    const discarded: OpenTurn[] = [];
    for (const turn of this.#waiting.splice(0)) {
      const isMeant = messageId === undefined || messageId === turn.row.id;
      if (!isMeant) this.#waiting.push(turn);
      else this.#options.services.room.remove(this.#queued, turn.row.promptBytes);
      if (isMeant && this.#step(turn, "interrupt", "cancelled")) discarded.push(turn);
    }
    this.#discardingCount++;
    try {
      for (const { row } of discarded) await discardQueued(this.#log, this.#options.services.store, row);
    } finally {
      this.#discardingCount--;
    }
  }

  /** The only place that writes a turn's state. False when the event is invalid now. */
  #step(turn: OpenTurn, event: MessageEvent, reason?: string): boolean {
    const state = nextMessageState(turn.row.state, event);
    if (state === undefined) return false;
    const { now, observer } = this.#options.services;
    turn.row = { ...turn.row, state, ...(reason === undefined ? {} : { reason, endedAt: now() }) };
    if (reason !== undefined) observer.onEnded(turn, this.#options);
    else if (event === "hand") {
      turn.handedAt = now();
      turn.agentTrace = observer.onHanded(turn, this.#options);
    }
    return true;
  }
}
