import type { SessionId } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { AgentSpawner, AgentSpec } from "../../agents/index.js";
import type { RelayServices } from "../relay-services.js";
import { StdioWorker, type StdioWorkerOptions } from "./stdio-worker.js";
import type { Worker, WorkerOrder } from "./worker.js";
import { WorkerAgent } from "./worker-agent.js";

/** What starting a stdio worker needs. */
export interface StdioWorkerStart {
  readonly order: WorkerOrder;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly spawner: AgentSpawner;
  readonly services: RelayServices;
  readonly postInChannel: StdioWorkerOptions["postInChannel"];
  /** The process runs; it cannot work yet. */
  onLaunched(process: { readonly pid: number; readonly startTime: string }): void;
}

/**
 * Starts a stdio agent and lets it in under its name, as if it had connected. Rejects, with nothing left of it, when it
 * cannot open its conversation, or when the order's signal says so.
 */
export async function startStdioWorker(options: StdioWorkerStart): Promise<Worker> {
  const { order, services, postInChannel } = options;
  const { mailboxes, routeHooks, now, logger } = services;
  const agent = await WorkerAgent.start({ ...options, ...order, logger, onLaunched: options.onLaunched });
  const acknowledge = services.acknowledge.bind(services);
  const hello = helloOf(order);
  const peer = new StdioWorker({ agent, hello, mailboxes, routeHooks, now, logger, acknowledge, postInChannel });
  const leave = services.admit(peer);
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
