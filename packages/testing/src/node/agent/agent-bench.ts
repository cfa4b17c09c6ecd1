import { newId } from "@daemon-sdk/protocol";
import { isEndOf, type WireFrame, wordFor } from "../../contract/index.js";
import type { AgentCase, AgentHarness } from "./agent-harness.js";
import { AgentLine } from "./agent-line.js";

/** The frames of a completed turn. */
export interface AgentTurnTold {
  readonly messageId: string;
  readonly requestId: string;
  /** All frames from the prompt to the `idle` after the end, with the response. */
  readonly frames: readonly WireFrame[];
}

/** Tools of one case of the agent contract: processes, and sessions in them. */
export class AgentBench {
  readonly harness: AgentHarness;
  readonly sessionId: string = newId();
  readonly #lines: AgentLine[] = [];

  constructor(harness: AgentHarness) {
    this.harness = harness;
  }

  /** Starts a process without a session. */
  start(): AgentLine {
    const line = new AgentLine(this.harness);
    this.#lines.push(line);
    return line;
  }

  /** Starts a process with a new session. `params` are added to those of `initialize_session`. */
  async open(params: object = {}) {
    const agent = this.start();
    const cwd = this.harness.workingDirectory ?? process.cwd();
    const base = { sessionId: this.sessionId, machineId: "default", cwd };
    const result = await agent.result("initialize_session", { ...base, ...params });
    return { agent, result };
  }

  /** Sends a prompt. Resolves after the end of its turn and the `idle` after the end. */
  async turn(agent: AgentLine, text: string): Promise<AgentTurnTold> {
    const from = agent.frames.length;
    const { messageId, requestId } = this.prompt(agent, text);
    await this.turnEnd(agent, messageId, from);
    return { messageId, requestId, frames: agent.frames.slice(from) };
  }

  /** Sends a prompt without waiting. */
  prompt(agent: AgentLine, text: string): { messageId: string; requestId: string } {
    const messageId = newId();
    const requestId = agent.request("add_user_message", { sessionId: this.sessionId, text, messageId });
    return { messageId, requestId };
  }

  /** Waits for `agent_turn_completed` of that message, and for the `idle` after it. */
  async turnEnd(agent: AgentLine, messageId: string, from = 0): Promise<WireFrame> {
    const end = await agent.waitFor((frame) => isEndOf(messageId, frame), "the end of the turn", from);
    const isIdle = (frame: WireFrame) => wordFor(frame) === "state:idle";
    await agent.waitFor(isIdle, "idle behind the end", agent.frames.indexOf(end));
    return end;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.kill()));
  }
}

/** A case with processes of its own, which are killed afterwards in any case. */
export function agentCase(
  id: string,
  title: string,
  check: (bench: AgentBench) => Promise<void>,
  needs: readonly string[] = [],
): AgentCase {
  return {
    id,
    title,
    needs,
    async run(harness) {
      const bench = new AgentBench(harness);
      try {
        await check(bench);
      } finally {
        await bench.dispose();
      }
    },
  };
}
