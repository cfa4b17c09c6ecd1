import type { AgentFault } from "../agents/index.js";

/** Which kinds of faults of an agent were reported in the running turn: a flood of one kind is one notice. */
export class FaultNotices {
  #turn: unknown;
  /** Made by the first fault. */
  #kinds: Set<string> | undefined;

  /** Whether this is the first fault of its kind in that turn. */
  isNew({ code, isLoss }: AgentFault, turn: unknown): boolean {
    if (this.#turn !== turn || this.#kinds === undefined) this.#kinds = new Set();
    this.#turn = turn;
    const kind = `${code} ${isLoss}`;
    if (this.#kinds.has(kind)) return false;
    this.#kinds.add(kind);
    return true;
  }
}
