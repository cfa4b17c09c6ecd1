import type { AgentExit } from "../../agents/index.js";

/** An agent that was spawned on the relay, however it speaks. */
export interface Worker {
  readonly pid: number;
  /** As the kernel tells it. */
  readonly startTime: string;
  /** Resolves once, when nothing of it is left. Never rejects. */
  readonly gone: Promise<AgentExit>;
  /** The model it works with, as far as it is known. */
  readonly model: string | undefined;
  /** Writes to the program's stdin. False when that is not how it is spoken to, or when it takes no more. */
  write(text: string): boolean;
  /** Switches the model; resolves with the former one. Undefined for an agent that has no such command. */
  readonly setModel: ((model: string, timeoutMs: number) => Promise<string | undefined>) | undefined;
  /** Ends the process and, with it, its connection. Resolves when nothing is left. */
  stop(): Promise<unknown>;
}

/** What a worker is started with. */
export interface WorkerOrder {
  readonly name: string;
  readonly cli: string;
  readonly task: string;
  readonly cwd: string;
  /** Who is named as its spawner. */
  readonly spawnerName: string;
  readonly team?: string | undefined;
  readonly model?: string | undefined;
  readonly interactive?: boolean | undefined;
  /** Ends the start. */
  readonly signal: AbortSignal;
}
