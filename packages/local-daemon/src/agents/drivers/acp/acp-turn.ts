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
  hasRefusal = false;
  systemError: string | undefined;

  readonly #options: AcpTurnOptions;
  #isBegun = false;
  #isConfirmed = false;
  #isOver = false;

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
    const { isCancelled, hasRefusal, systemError, writer } = this;
    // A command of the agent's own may write nothing at all.
    const isCommand = this.#options.params.text.startsWith("/");
    return { isCancelled, hasRefusal, systemError, hasContent: writer.hasContent || isCommand };
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
