import { expectThat, violated } from "../../contract/index.js";
import type { AgentCase, AgentHarness } from "../agent/index.js";
import { type AcpFrame, updateOf } from "./acp-frame.js";
import { type AcpId, AcpLine, isResponse } from "./acp-line.js";

/** A session of a case: its process, and the agent's id of it. */
export interface AcpSession {
  readonly agent: AcpLine;
  readonly sessionId: string;
}

/** What the client states of itself: it offers neither files nor terminals. */
const CLIENT = { clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false } };

/** Tools of one case: processes, and sessions in them. */
export class AcpBench {
  readonly harness: AgentHarness;
  readonly #lines: AcpLine[] = [];

  constructor(harness: AgentHarness) {
    this.harness = harness;
  }

  get cwd(): string {
    return this.harness.workingDirectory ?? process.cwd();
  }

  /** Starts a process. */
  start(): AcpLine {
    const line = new AcpLine(this.harness);
    this.#lines.push(line);
    return line;
  }

  /** Starts a process that has answered `initialize`. */
  async initialized(): Promise<AcpLine> {
    const agent = this.start();
    await agent.result("initialize", { protocolVersion: 1, ...CLIENT });
    return agent;
  }

  /** Opens a new session, in a process of its own where none is given. */
  async open(agent?: AcpLine): Promise<AcpSession> {
    const line = agent ?? (await this.initialized());
    const { sessionId } = await line.result("session/new", { cwd: this.cwd, mcpServers: [] });
    if (typeof sessionId !== "string") violated(`session/new answered the sessionId ${JSON.stringify(sessionId)}`);
    return { agent: line, sessionId };
  }

  /** Sends a prompt without waiting. */
  prompt({ agent, sessionId }: AcpSession, text: string): AcpId {
    return agent.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  }

  /** Sends a prompt, and resolves with its answer and the messages since. */
  async turn(session: AcpSession, text: string): Promise<{ stopReason: unknown; frames: readonly AcpFrame[] }> {
    const { agent } = session;
    const from = agent.frames.length;
    const stopReason = await this.end(session, this.prompt(session, text));
    return { stopReason, frames: agent.frames.slice(from) };
  }

  /** The stop reason of a prompt. */
  async end({ agent }: AcpSession, prompt: AcpId): Promise<unknown> {
    const { result, error } = await agent.response(prompt, "the answer to the prompt");
    expectThat(error === undefined, `the prompt failed: ${JSON.stringify(error)}`);
    return result?.stopReason;
  }

  /** How often a prompt was answered. */
  answersTo({ agent }: AcpSession, prompt: AcpId): number {
    return agent.frames.filter((frame) => isResponse(frame, prompt)).length;
  }

  /** Waits for the first words of a turn. */
  async begun({ agent, sessionId }: AcpSession): Promise<void> {
    const isText = (frame: AcpFrame) => updateOf(sessionId, frame)?.sessionUpdate === "agent_message_chunk";
    await agent.waitFor(isText, "the turn's first words");
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.kill()));
  }
}

/** A case with processes of its own, which are killed afterwards in any case. */
export function acpCase(
  id: string,
  title: string,
  check: (bench: AcpBench) => Promise<void>,
  needs: readonly string[] = [],
): AgentCase {
  return {
    id,
    title,
    needs,
    async run(harness) {
      const bench = new AcpBench(harness);
      try {
        await check(bench);
      } finally {
        await bench.dispose();
      }
    },
  };
}
