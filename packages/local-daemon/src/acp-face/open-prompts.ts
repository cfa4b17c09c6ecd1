import type { StopReason } from "@agentclientprotocol/sdk";
import { type Receipt, RpcFault } from "@daemon-sdk/protocol";
import { promptAnswer, type TurnEnd } from "./mapping/index.js";

interface OpenPrompt {
  readonly settle: (answer: { readonly stopReason: StopReason } | RpcFault) => void;
  isCancelled: boolean;
}

/** The prompts of one editor in one session that are not answered, oldest first. */
export class OpenPrompts {
  readonly #open = new Map<string, OpenPrompt>();
  /** Ids of all prompts of this editor that may still be named by an entry. */
  readonly #own = new Set<string>();

  /** Ids of those that wait, oldest first. */
  get ids(): string[] {
    return [...this.#open.keys()];
  }

  isOwn(messageId: string): boolean {
    return this.#own.has(messageId);
  }

  /** Begins to wait for the end of that message's turn. Rejects with an RpcFault when the turn fails. */
  add(messageId: string): Promise<{ readonly stopReason: StopReason }> {
    this.#own.add(messageId);
    return new Promise((resolve, reject) => {
      const settle: OpenPrompt["settle"] = (answer) => (RpcFault.is(answer) ? reject(answer) : resolve(answer));
      this.#open.set(messageId, { settle, isCancelled: false });
    });
  }

  /** The editor cancels the prompt: its end is a cancel, whatever the agent makes of it. */
  cancel(messageId: string): void {
    const prompt = this.#open.get(messageId);
    if (prompt !== undefined) prompt.isCancelled = true;
  }

  /** The message was not accepted. */
  drop(messageId: string): void {
    this.#open.delete(messageId);
    this.#own.delete(messageId);
  }

  ended(end: TurnEnd): void {
    const prompt = this.#open.get(end.turnId);
    this.drop(end.turnId);
    prompt?.settle(promptAnswer(end, prompt.isCancelled));
  }

  /** Ends those whose receipts say that their turns are over. */
  endedBy(receipts: readonly Receipt[]): void {
    for (const { messageId, state, reason, endedAt } of receipts) {
      if (state === "unknown" || endedAt !== undefined) this.ended({ turnId: messageId, reason: reason ?? "error" });
    }
  }

  /** The session is left: each prompt that waits ends as cancelled. */
  clear(): void {
    for (const turnId of this.ids) this.ended({ turnId, reason: "cancelled" });
  }
}
