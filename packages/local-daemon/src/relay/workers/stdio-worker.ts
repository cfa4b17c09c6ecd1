import type { SessionId } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { AgentSpawner, AgentSpec } from "../../agents/index.js";
import type { RelayPeer } from "../names/index.js";
import { StdioPeer, type StdioPeerOptions } from "./stdio-peer.js";
import { TaskAgent } from "./task-agent.js";
import type { Worker, WorkerOrder } from "./worker.js";

/** Options of {@link startStdioWorker}. */
export interface StdioWorkerOptions extends Omit<StdioPeerOptions, "agent" | "hello"> {
  readonly order: WorkerOrder;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly spawner: AgentSpawner;
  /** Adds the worker's peer to the relay; returns how to remove it. */
  admit(peer: RelayPeer): () => void;
  /** The process runs; it takes no prompts yet. */
  onLaunched(process: { readonly pid: number; readonly startTime: string }): void;
}

/**
 * Starts a stdio agent and adds its peer, as if it had connected. Rejects when the agent cannot open its conversation, or when
 * the order's signal aborts; then no process is left.
 */
export async function startStdioWorker(options: StdioWorkerOptions): Promise<Worker> {
  const { order, spawner, spec, sessionId, logger } = options;
  const agent = await TaskAgent.start({
    ...order,
    ...{ spawner, spec, sessionId, logger },
    onLaunched: (process) => options.onLaunched(process),
  });
  const peer = new StdioPeer({ ...options, agent, hello: helloOf(order) });
  const leave = options.admit(peer);
  void agent.gone.then(leave);
  peer.open();
  return {
    pid: agent.pid,
    startTime: agent.startTime,
    gone: agent.gone,
    get model() {
      return agent.model;
    },
    write: () => false,
    setModel: (model, timeoutMs) => agent.setModel(model, timeoutMs),
    stop: () => agent.stop(),
  };
}

function helloOf({ name, cli, task, cwd, model, team }: WorkerOrder): HelloPayload {
  return {
    agent: name,
    entityType: "agent",
    cli,
    task,
    workingDirectory: cwd,
    ...(model === undefined ? {} : { model }),
    ...(team === undefined ? {} : { team }),
  };
}
