import { type AgentExit, type AgentHarness, type AgentProcess, fakeAgentHarness } from "@daemon-sdk/testing/node";
import type { Frame } from "./sinful-daemon.js";

/** What an agent does wrong: it changes what passes its pipes. One object lives as long as the process. */
export interface AgentSin {
  /** Replaces a daemon's frame before the agent receives it; undefined drops the frame. */
  hears?(frame: Frame, agent: SinfulAgent): Frame | undefined;
  /** What it says in place of a frame. */
  says?(frame: Frame, agent: SinfulAgent): readonly Frame[];
  /** What stands on its stdout in place of a line. */
  prints?(line: string): readonly string[];
  /** How it exits; undefined: not at all. Not asked where it is killed. */
  exits?(exit: AgentExit, agent: SinfulAgent): AgentExit | undefined;
}

/** A process of a sinful agent. It tracks received requests by id, and the number of open turns. */
export class SinfulAgent implements AgentProcess {
  onLine: ((line: string) => void) | undefined;
  onStderr: ((text: string) => void) | undefined;
  onExit: ((exit: AgentExit) => void) | undefined;
  readonly requests = new Map<unknown, Frame>();
  openTurns = 0;
  readonly #inner: AgentProcess;
  readonly #sin: AgentSin;
  #isKilled = false;

  constructor(inner: AgentProcess, sin: AgentSin) {
    this.#inner = inner;
    this.#sin = sin;
    inner.onLine = (line) => this.#said(JSON.parse(line) as Frame);
    inner.onExit = (exit) => {
      const told = this.#isKilled ? exit : (sin.exits ?? ((same) => same))(exit, this);
      if (told) this.onExit?.(told);
    };
  }

  write(line: string): void {
    const frame = JSON.parse(line) as Frame;
    if (frame.type === "request") this.requests.set(frame.id, frame);
    const heard = this.#sin.hears ? this.#sin.hears(frame, this) : frame;
    if (heard?.method === "droid.add_user_message") this.openTurns++;
    if (heard) this.#inner.write(JSON.stringify(heard));
  }

  endInput(): void {
    this.#inner.endInput();
  }

  kill(): void {
    this.#isKilled = true;
    this.#inner.kill();
    // The one inside may have ended long ago, where this one says that it has not.
    queueMicrotask(() => queueMicrotask(() => this.onExit?.({ code: null, signal: "SIGKILL" })));
  }

  /** Says something that the agent did not say. */
  say(frame: Frame): void {
    const line = JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame });
    for (const printed of this.#sin.prints?.(line) ?? [line]) this.onLine?.(printed);
  }

  /** Answers a request in place of the agent, which does not receive the request. */
  answer({ id }: Frame, body: Pick<Frame, "result" | "error">): undefined {
    queueMicrotask(() => this.say({ type: "response", id: id ?? null, ...body }));
  }

  /** Method of the request that a response answers, without prefix. */
  methodOf({ type, id }: Frame): string | undefined {
    return type === "response" ? this.requests.get(id)?.method?.replace("droid.", "") : undefined;
  }

  #said(frame: Frame): void {
    if (frame.params?.notification?.type === "agent_turn_completed") this.openTurns--;
    for (const said of this.#sin.says?.(frame, this) ?? [frame]) this.say(said);
  }
}

/** A fake agent that commits this sin, a fresh one in each process, and keeps all other laws. */
export function sinfulAgentHarness(make: () => AgentSin, patienceMs: number): AgentHarness {
  return fakeAgentHarness({ patienceMs, wrap: (process) => new SinfulAgent(process, make()) });
}
