import {
  type AskUserQuestion,
  isRecord,
  METHODS,
  type PermissionToolUse,
  type ProtocolEngine,
  type SessionSettings,
} from "@daemon-sdk/protocol";
import type { ToolUse } from "./tools/index.js";

/** The user, to whom requests are sent through the daemon, without a time-out. */
export class Person {
  readonly #engine: ProtocolEngine;
  readonly #sessionId: string;
  /** Tools that need no further permission in this session (`proceed_always`). Not stored: a new process requests it again. */
  readonly #trusted = new Set<string>();

  constructor(engine: ProtocolEngine, sessionId: string) {
    this.#engine = engine;
    this.#sessionId = sessionId;
  }

  /** Whether a tool use needs a permission: with `off` writes and runs, with `low` and `medium` runs, with `high` none. */
  mustAgree(use: ToolUse, { autonomyLevel }: SessionSettings): boolean {
    if (use.confirmation === undefined || this.#trusted.has(use.name) || autonomyLevel === "high") return false;
    return use.name === "Execute" || (autonomyLevel !== "low" && autonomyLevel !== "medium");
  }

  /**
   * Requests permission. Any other result than an offered approval counts as a refusal, also an error or the end of the link.
   *
   * @param requestId id of the request, which `permission_resolved` repeats
   */
  async askPermission(asked: PermissionToolUse, requestId: string, signal: AbortSignal): Promise<string> {
    const { name } = asked.toolUse;
    const options = [
      { label: "Yes, this once", value: "proceed_once" },
      { label: `Yes, and do not ask for ${name} again in this session`, value: "proceed_always" },
      { label: "No", value: "cancel" },
    ];
    const params = { sessionId: this.#sessionId, toolUses: [asked], options };
    const result = await this.#ask(METHODS.requestPermission.name, params, signal, requestId);
    const chosen = isRecord(result) ? result.selectedOption : undefined;
    if (chosen === "proceed_always") this.#trusted.add(name);
    return typeof chosen === "string" && options.some(({ value }) => value === chosen) ? chosen : "cancel";
  }

  /** Asks a question; undefined without an answer. */
  async askQuestion(toolCallId: string, question: AskUserQuestion, signal: AbortSignal): Promise<string | undefined> {
    const params = { sessionId: this.#sessionId, toolCallId, questions: [question] };
    const result = await this.#ask(METHODS.askUser.name, params, signal);
    if (!isRecord(result) || result.cancelled === true || !Array.isArray(result.answers)) return undefined;
    const first: unknown = result.answers[0];
    return isRecord(first) && typeof first.answer === "string" ? first.answer : undefined;
  }

  async #ask(method: string, params: Record<string, unknown>, signal: AbortSignal, id?: string): Promise<unknown> {
    try {
      return await this.#engine.requestNamed(method, params, { timeoutMs: 0, signal, ...(id !== undefined && { id }) });
    } catch {
      // An error, an interrupt or the end of the link: none of them is an approval.
      return undefined;
    }
  }
}
