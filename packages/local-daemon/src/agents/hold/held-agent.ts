import {
  type AddUserMessageParams,
  type EnvelopeMeta,
  isRecord,
  ProcessExitError,
  type ProtocolEngine,
  type SessionId,
  type SessionNotification,
  type TraceContext,
} from "@daemon-sdk/protocol";
import type { Agent, AgentEvents, AgentExit, AgentFault, AgentReady, AgentRequest, AgentTurnEnd } from "../agent.js";
import { failureIn, reviveError } from "./carried-error.js";
import { HOLD_CALLS, type ListedAgent } from "./hold-wire.js";

/** The exit of an agent whose holder is gone: nobody knows more. */
const LOST_EXIT: AgentExit = { exitCode: null, signal: null, stderr: "", expected: false };
const LOST_MESSAGE = "The process that held the agent since the daemon was replaced has ended.";

/** Options of {@link HeldAgent}. */
export interface HeldAgentOptions extends ListedAgent {
  readonly sessionId: SessionId;
  readonly engine: ProtocolEngine;
  readonly events: AgentEvents;
  /** Whether the agent works on a prompt, which it may not have acknowledged. */
  readonly hasPrompt: boolean;
}

/** An agent that a holder keeps: each call is a call to the holder, and the holder sends the agent's events. */
export class HeldAgent implements Agent {
  readonly pid: number;
  readonly startTime: string;
  readonly #options: HeldAgentOptions;
  #hasPrompt: boolean;
  #exit: AgentExit | undefined;
  #markGone!: (exit: AgentExit) => void;
  readonly #gone: Promise<AgentExit>;

  constructor(options: HeldAgentOptions) {
    this.#options = options;
    this.pid = options.pid;
    this.startTime = options.startTime;
    this.#hasPrompt = options.hasPrompt;
    this.#gone = new Promise((resolve) => {
      this.#markGone = resolve;
    });
  }

  /** Never needed: the conversation is open. */
  async open(): Promise<AgentReady> {
    throw new ProcessExitError("A held agent has its conversation open.", { exitCode: null, signal: null });
  }

  async prompt(prompt: AddUserMessageParams, trace?: TraceContext): Promise<void> {
    this.#hasPrompt = true;
    await this.#call(HOLD_CALLS.prompt, { prompt, trace });
  }

  /** Settles as the prompt that an earlier daemon gave the agent. */
  async prompted(): Promise<void> {
    await this.#call(HOLD_CALLS.prompted, {});
  }

  async interrupt(): Promise<void> {
    await this.#call(HOLD_CALLS.interrupt, {});
  }

  async call(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Record<string, unknown>> {
    const result = await this.#call(HOLD_CALLS.call, { method, params, timeoutMs });
    return isRecord(result) ? result : {};
  }

  setPaused(isPaused: boolean): void {
    this.#notify(HOLD_CALLS.pause, { isPaused });
  }

  async stop(): Promise<AgentExit> {
    // The answer may be lost with the holder, which ends the agent then.
    void this.#call(HOLD_CALLS.stop, {}).catch(() => {});
    return this.#gone;
  }

  /** An event of the agent, as the holder sent it. */
  receive(name: string, [first, second]: readonly unknown[]): void {
    const { events } = this.#options;
    switch (name) {
      case "onNotification":
        events.onNotification(first as SessionNotification, (second ?? undefined) as EnvelopeMeta | undefined);
        break;
      case "onRequest":
        events.onRequest(this.request(first as Omit<AgentRequest, "respond" | "refuse">));
        break;
      case "onFault":
        events.onFault(first as AgentFault);
        break;
      case "onConversation":
        events.onConversation(String(first));
        break;
      case "onTurnStarted":
        events.onTurnStarted();
        break;
      case "onTurnEnded":
        this.#hasPrompt = false;
        events.onTurnEnded(first as AgentTurnEnd);
        break;
      case "onExit":
        this.#exited(first as AgentExit);
    }
  }

  /** A request of the agent, open at the holder. */
  request({ id, method, params }: Omit<AgentRequest, "respond" | "refuse">): AgentRequest {
    return {
      ...{ id, method, params },
      respond: (result) => this.#notify(HOLD_CALLS.respond, { id, result }),
      refuse: (message) => this.#notify(HOLD_CALLS.refuse, { id, message }),
    };
  }

  /** The holder is gone, and the agent with it. */
  lost(): void {
    if (this.#exit !== undefined) return;
    if (this.#hasPrompt) {
      this.#hasPrompt = false;
      this.#options.events.onTurnEnded({ reason: "agent_exited", details: { message: LOST_MESSAGE } });
    }
    this.#exited(LOST_EXIT);
  }

  #exited(exit: AgentExit): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    this.#options.events.onExit(exit);
    this.#markGone(exit);
  }

  #notify(name: string, params: object): void {
    this.#options.engine.notify(name, { ...params, sessionId: this.#options.sessionId });
  }

  /** Waits as long as the agent does: the holder's drivers have the time-outs. */
  async #call(name: string, params: object): Promise<unknown> {
    const { engine, sessionId } = this.#options;
    const answer = await engine.requestNamed(name, { ...params, sessionId }, { timeoutMs: 0 }).catch(async (cause) => {
      // Where this daemon gives up before it adopted, the agent runs on, and nothing may end its turn here.
      const { exitCode, signal } = await this.#gone;
      throw new ProcessExitError(LOST_MESSAGE, { exitCode, signal, cause });
    });
    const failure = failureIn(answer);
    if (failure !== undefined) throw reviveError(failure);
    return isRecord(answer) ? answer.done : undefined;
  }
}
