import { type AddUserMessageParams, newId } from "@daemon-sdk/protocol";
import type { AgentEvents, AgentTurnEnd } from "../../agent.js";
import type { TurnFacts } from "./turn-end.js";
import { TurnWriter } from "./turn-writer.js";

/** Options of {@link AcpTurn}. */
export interface AcpTurnOptions {
  readonly params: AddUserMessageParams;
  readonly events: AgentEvents;
  readonly now: () => number;
}

/** One prompt on its way through an ACP agent: from the written line to its one end. */
export class AcpTurn {
  readonly id: string;
  readonly writer: TurnWriter;
  isCancelled = false;
  /** The agent has taken the prompt into its conversation; it answers so in version 2 only. */
  isTaken = false;
  hasRefusal = false;
  /** The last text of the agent, when it is an error of its model. */
  failureText: string | undefined;

  readonly #options: AcpTurnOptions;
  #isBegun = false;
  #isConfirmed = false;
  #isOver = false;
  #systemError: string | undefined;
  #retries: string[] = [];

  constructor(options: AcpTurnOptions) {
    const { params, events, now } = options;
    this.#options = options;
    this.id = params.messageId ?? newId();
    const emit = (notification: Parameters<AgentEvents["onNotification"]>[0]) => {
      this.begin();
      events.onNotification(notification, undefined);
    };
    this.writer = new TurnWriter({ turnId: this.id, now, emit });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get facts(): TurnFacts {
    const { isCancelled, hasRefusal, failureText, writer } = this;
    // A command of the agent's own may write nothing at all.
    const isCommand = this.#options.params.text.startsWith("/");
    const hasContent = writer.hasContent || isCommand;
    const [systemError, lastRetry] = [this.#systemError?.trim(), this.#retries.at(-1)];
    return { isCancelled, hasRefusal, systemError, failureText, lastRetry, hasContent };
  }

  /** The agent reports beside the conversation that its model has failed. What it says then is the reason. */
  get hasSystemError(): boolean {
    return this.#systemError !== undefined;
  }

  systemFailed(message: string | undefined): void {
    this.#systemError = message ?? "";
  }

  explainSystemError(text: string): void {
    this.#systemError = (this.#systemError ?? "") + text;
  }

  /** The model is asked again: what it wrote for this call is void. */
  retry(reason: string): void {
    this.confirm();
    this.writer.retract();
    this.#retries.push(reason);
    const attempt = this.#retries.length;
    this.#options.events.onNotification({ type: "llm_retry", attempt, reason }, undefined);
  }

  /** Reports the user's message, before anything that the agent does. */
  begin(): void {
    if (this.#isBegun || this.#isOver) return;
    this.#isBegun = true;
    const { params, events, now } = this.#options;
    const { text, images = [], files = [] } = params;
    const content = [
      ...images.map((source) => ({ type: "image", source })),
      ...files.map((source) => ({ type: "document", source })),
      { type: "text", text },
    ];
    this.writer.state("streaming_assistant_message");
    const message = { id: this.id, role: "user", content, createdAt: now(), updatedAt: now() };
    events.onNotification({ type: "create_message", requestId: this.id, message }, undefined);
  }

  /** The agent shows that it works on the prompt. */
  confirm(): void {
    if (this.#isConfirmed || this.#isOver) return;
    this.#isConfirmed = true;
    this.begin();
    this.#options.events.onTurnStarted();
  }

  /** Ends the turn, once. What is open is closed before. An agent that died without a sign has not begun the turn. */
  end(end: AgentTurnEnd): void {
    if (this.#isOver) return;
    if (end.reason !== "agent_exited") this.confirm();
    this.begin();
    this.writer.end(end.reason === "cancelled");
    this.#isOver = true;
    this.#options.events.onTurnEnded(end);
  }
}
