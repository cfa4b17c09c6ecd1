import { newId } from "@daemon-sdk/protocol";
import { isEndOf, type WireFrame, wordFor } from "../../contract/index.js";
import type { AgentCase, AgentHarness } from "./agent-harness.js";
import { AgentLine } from "./agent-line.js";

/** A turn that has ended, as the agent told it. */
export interface AgentTurnTold {
  readonly messageId: string;
  readonly requestId: string;
  /** Everything from the prompt to the idle behind its end, with the response. */
  readonly frames: readonly WireFrame[];
}

/** What a case of the agent contract works with: one process, and a session in it. */
export class AgentBench {
  readonly harness: AgentHarness;
  readonly sessionId: string = newId();
  readonly #lines: AgentLine[] = [];

  constructor(harness: AgentHarness) {
    this.harness = harness;
  }

  /** A process without a session. */
  start(): AgentLine {
    const line = new AgentLine(this.harness);
    this.#lines.push(line);
    return line;
  }

  /** A process with a new session; `params` are added to those of `initialize_session`. */
  async open(params: object = {}) {
    const agent = this.start();
    const cwd = this.harness.workingDirectory ?? process.cwd();
    const base = { sessionId: this.sessionId, machineId: "default", cwd };
    const result = await agent.result("initialize_session", { ...base, ...params });
    return { agent, result };
  }

  /** Sends a prompt; resolves when the agent has told the end of its turn and idle behind it. */
  async turn(agent: AgentLine, text: string): Promise<AgentTurnTold> {
    const from = agent.frames.length;
    const { messageId, requestId } = this.prompt(agent, text);
    await this.turnEnd(agent, messageId, from);
    return { messageId, requestId, frames: agent.frames.slice(from) };
  }

  /** Sends a prompt and waits for nothing. */
  prompt(agent: AgentLine, text: string): { messageId: string; requestId: string } {
    const messageId = newId();
    const requestId = agent.request("add_user_message", { sessionId: this.sessionId, text, messageId });
    return { messageId, requestId };
  }

  /** Waits for `agent_turn_completed` of that message, and for the idle behind it. */
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

/** A case with processes of its own, which are gone afterwards, whatever happened. */
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
