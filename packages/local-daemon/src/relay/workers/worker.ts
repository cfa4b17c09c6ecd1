import type { AgentExit } from "../../agents/index.js";

/** An agent that was spawned on the relay: a stdio agent, or a program that connects by itself. */
export interface Worker {
  readonly pid: number;
  /** From the kernel. */
  readonly startTime: string;
  /** Resolves once, when the process and its children have ended. Never rejects. */
  readonly gone: Promise<AgentExit>;
  /** The agent's model, where it is known. */
  readonly model: string | undefined;
  /** Writes to the program's stdin. False for a stdio agent, and when the program takes no more. */
  write(text: string): boolean;
  /** Switches the model; resolves with the former one. Undefined for an agent that has no such command. */
  readonly setModel: ((model: string, timeoutMs: number) => Promise<string | undefined>) | undefined;
  /** Ends the process and its connection. Resolves when both have ended. */
  stop(): Promise<unknown>;
}

/** The request to start a worker. */
export interface WorkerOrder {
  readonly name: string;
  readonly cli: string;
  readonly task: string;
  readonly cwd: string;
  /** Name of the agent that is listed as the spawner. */
  readonly spawnerName: string;
  readonly team?: string | undefined;
  readonly model?: string | undefined;
  readonly interactive?: boolean | undefined;
  /** The program shows it in HELLO, so that no other process can have the name. */
  readonly credential: string;
  /** Aborts the start. Its reason is the error of the start. */
  readonly signal: AbortSignal;
}
