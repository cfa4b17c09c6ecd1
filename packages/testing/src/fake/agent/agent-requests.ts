import { newId, type SessionNotification } from "@daemon-sdk/protocol";
import { CANCELLED, type FakeRequests, isAnswer } from "../script/index.js";

/** One unanswered request. */
interface Open {
  readonly method: keyof FakeRequests;
  readonly params: FakeRequests[keyof FakeRequests]["params"];
  settle(result: unknown): void;
}

/** Pending requests of an agent (docs/agents.md, "Asking people"). Any unclear answer counts as a refusal. */
export class AgentRequests {
  readonly #open = new Map<string, Open>();
  readonly #tell: (frame: Record<string, unknown>) => void;

  constructor(tell: (frame: Record<string, unknown>) => void) {
    this.#tell = tell;
  }

  ask<Method extends keyof FakeRequests>(
    method: Method,
    params: FakeRequests[Method]["params"],
  ): Promise<FakeRequests[Method]["result"]> {
    const id = newId();
    return new Promise((resolve) => {
      const settle = (result: unknown): void => resolve(isAnswer(params, result) ? result : CANCELLED[method]);
      this.#open.set(id, { method, params, settle });
      this.#tell({ type: "request", id, method: `droid.${method}`, params });
    });
  }

  settle(id: string | null, result: unknown): void {
    const open = this.#open.get(id ?? "");
    this.#open.delete(id ?? "");
    open?.settle(result);
  }

  /** Closes all requests with cancel, and notifies the daemon, which closes them for clients. */
  cancelAll(notify: (notification: SessionNotification) => void): void {
    for (const [requestId, { method, params, settle }] of [...this.#open]) {
      this.#open.delete(requestId);
      settle(undefined);
      if (method === "ask_user" || !("toolUses" in params)) continue;
      const toolUseIds = params.toolUses.map(({ toolUse }) => toolUse.id);
      notify({ type: "permission_resolved", requestId, toolUseIds, selectedOption: "cancel" });
    }
  }
}
