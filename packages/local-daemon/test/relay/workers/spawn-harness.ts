import { fileURLToPath } from "node:url";
import { createEnvelope, type Envelope, type MessageType, type RelayPayloads } from "@daemon-sdk/protocol/relay";
import { listMarkedProcesses } from "../../../src/agents/marked-processes.js";
import type { DaemonConfig } from "../../../src/server.js";
import { processState } from "../../agents/agent-harness.js";
import { workspaceAgentEntry } from "../../workspace-agent/workspace-agent.js";
import { type RawPeer, RelayDaemon, type Seen } from "../relay-daemon.js";

const program = (how: string) => ({
  command: [process.execPath, fileURLToPath(new URL("../../fixtures/relay-worker.mjs", import.meta.url)), how] as const,
  driver: "relay" as const,
});

/** A daemon that spawns: `workspace` on stdio, and programs that connect by themselves, one for each way to go wrong. */
export function spawningDaemon(config: DaemonConfig = {}): Promise<RelayDaemon> {
  return RelayDaemon.start({
    spawnManager: true,
    agents: {
      workspace: { command: [process.execPath, workspaceAgentEntry()] },
      program: program("well"),
      crash: program("crash"),
      mute: program("mute"),
      stubborn: program("stubborn"),
      litter: program("litter"),
    },
    ...config,
  });
}

/** A request whose result names it; `type` is the request's. */
export async function ask<Type extends "SPAWN" | "RELEASE" | "SEND_INPUT" | "SET_MODEL" | "LIST_WORKERS">(
  peer: RawPeer,
  type: Type,
  payload: RelayPayloads[Type],
): Promise<Seen["payload"]> {
  const request: Envelope<object> = createEnvelope(type, payload);
  peer.write(request);
  const results = () => peer.all(`${type}_RESULT` as MessageType);
  const isAnswer = ({ payload: result }: Seen) => result.replyTo === request.id;
  await peer.when(() => results().some(isAnswer));
  return results().find(isAnswer)?.payload;
}

/** Spawns and expects it to work. */
export async function spawned(peer: RawPeer, name: string, cli: string, more: object = {}): Promise<number> {
  const result = await ask(peer, "SPAWN", { name, cli, task: "", cwd: process.cwd(), ...more });
  if (result.success !== true) throw new TypeError(result.error);
  return result.pid;
}

/** Whether a process is gone, or dead and only waits to be collected. */
export async function isDead(pid: number): Promise<boolean> {
  return [undefined, "Z", "X"].includes(await processState(pid));
}

/** Pids of everything that this daemon's agents left, directly or not (Linux). */
export async function leftovers(daemon: RelayDaemon): Promise<number[]> {
  const { instanceId } = daemon.endpoint;
  return (await listMarkedProcesses()).filter((marked) => marked.instanceId === instanceId).map(({ pid }) => pid);
}
