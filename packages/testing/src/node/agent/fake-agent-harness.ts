import type { SessionMessage } from "@daemon-sdk/protocol";
import { FakeAgent, type FakePrompt } from "../../fake/index.js";
import { type AgentHarness, agentHarness } from "./agent-harness.js";
import type { AgentExit, AgentProcess } from "./agent-process.js";

/** Options of {@link fakeAgentHarness}. */
export interface FakeAgentHarnessOptions {
  /** Changes each process before the contract uses it. */
  readonly wrap?: (process: AgentProcess) => AgentProcess;
  /** Default 5 000. */
  readonly patienceMs?: number;
}

/** A harness of the agent contract for a `FakeAgent` in memory with matching scripts. */
export function fakeAgentHarness({ wrap = (process) => process, ...rest }: FakeAgentHarnessOptions = {}): AgentHarness {
  const conversations = new Map<string, SessionMessage[]>();
  const prompts = { say: (word: string) => word, endless: "endless", permission: "permission", question: "question" };
  const start = () => wrap(new FakeAgentProcess(scripted(new FakeAgent({ conversations }))));
  return agentHarness(start, { ...rest, prompts, workingDirectory: ".", keepsConversations: true });
}

function scripted(agent: FakeAgent): FakeAgent {
  const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }];
  agent.onPrompt((prompt: FakePrompt) => void prompt.message(sayAll(prompt)));
  agent
    .whenPrompted("endless")
    .does((prompt) => prompt.delta("It begins. "))
    .neverEnds();
  agent.whenPrompted("permission").callsTool({ name: "Execute", needsPermission: true });
  agent.whenPrompted("question").asks({ questions }).streams("So be it.");
  return agent;
}

/** Repeats the prompt in pieces. Returns it. */
function sayAll(prompt: FakePrompt): string {
  for (const piece of prompt.text.match(/\S+\s*/g) ?? []) prompt.delta(piece);
  return prompt.text;
}

/** Acts as the process of a fake agent: receives lines asynchronously, and exits with 0 when its stdin ends. */
class FakeAgentProcess implements AgentProcess {
  onLine: ((line: string) => void) | undefined;
  onStderr: ((text: string) => void) | undefined;
  onExit: ((exit: AgentExit) => void) | undefined;
  readonly #agent: FakeAgent;

  constructor(agent: FakeAgent) {
    this.#agent = agent;
    agent.onLine = (line) => this.onLine?.(line);
  }

  write(line: string): void {
    queueMicrotask(() => this.#agent.write(line));
  }

  endInput(): void {
    queueMicrotask(() => this.#end({ code: 0, signal: null }));
  }

  kill(): void {
    queueMicrotask(() => this.#end({ code: null, signal: "SIGKILL" }));
  }

  #end(exit: AgentExit): void {
    this.#agent.onLine = undefined;
    this.onExit?.(exit);
    this.onExit = undefined;
  }
}
