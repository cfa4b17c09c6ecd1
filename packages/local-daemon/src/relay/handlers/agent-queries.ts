import {
  type AgentSummary,
  createEnvelope,
  type RemoveAgentPayload,
  type RemoveAgentResponsePayload,
  type WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import { type AgentRecord, isInternalName, type RelayPeer } from "../names/index.js";
import type { RelayHandlers, RelayServices } from "../relay-services.js";

/** Longest name that REMOVE_AGENT takes (docs/wire/relay.md#queries). */
const NAME_CHARS = 128;

/** What queries for agents need of the relay. */
export interface AgentQueryServices extends Pick<RelayServices, "directory" | "logger"> {
  /** Agents that were spawned and run. */
  workers(): readonly WorkerSummary[];
  /** A name was forgotten: whatever else is kept for it goes, too. */
  onForgotten(name: string): void;
}

/**
 * LIST_AGENTS, LIST_CONNECTED_AGENTS and REMOVE_AGENT (docs/wire/relay.md#queries). Answers carry the id of the query.
 *
 * A connected agent is not removed: it would be there and unknown at once. Release it first.
 */
export function agentQueryHandlers(services: AgentQueryServices): RelayHandlers {
  const fail = (peer: RelayPeer, refId: string) => (error: unknown) => {
    const message = `The query failed: ${error instanceof Error ? error.message : String(error)}`;
    services.logger.error({ agent: peer.name, refId }, message);
    peer.refuse("INTERNAL", message, { refId });
  };
  return {
    LIST_AGENTS: (peer, { id, payload }) => {
      listAgents(services, payload.includeIdle === true)
        .then((agents) => peer.send(createEnvelope("LIST_AGENTS_RESPONSE", { agents }, { id })))
        .catch(fail(peer, id));
    },
    LIST_CONNECTED_AGENTS: (peer, { id }) =>
      peer.send(createEnvelope("LIST_CONNECTED_AGENTS_RESPONSE", { agents: connectedAgents(services) }, { id })),
    REMOVE_AGENT: (peer, { id, payload }) => {
      removeAgent(services, payload)
        .then((result) => peer.send(createEnvelope("REMOVE_AGENT_RESPONSE", result, { id })))
        .catch(fail(peer, id));
    },
  };
}

function connectedAgents({ directory, workers }: AgentQueryServices): AgentSummary[] {
  const spawned = new Map(workers().map((worker) => [worker.name, worker]));
  return directory
    .agents()
    .filter(({ name }) => !isInternalName(name))
    .map(({ name, hello }) => summaryOf({ name, cli: hello.cli, team: hello.team }, spawned.get(name), false));
}

async function listAgents(services: AgentQueryServices, includeIdle: boolean): Promise<AgentSummary[]> {
  const connected = connectedAgents(services);
  if (!includeIdle) return connected;
  const here = new Set(connected.map(({ name }) => name));
  const away = (await services.directory.known()).filter(
    ({ name, entityType }) => entityType === "agent" && !isInternalName(name) && !here.has(name),
  );
  return [...connected, ...away.map((record) => summaryOf(record, undefined, true))];
}

function summaryOf(
  { name, cli, team }: Pick<AgentRecord, "name" | "cli" | "team">,
  worker: WorkerSummary | undefined,
  idle: boolean,
): AgentSummary {
  const command = cli ?? worker?.cli;
  const group = team ?? worker?.team;
  return {
    name,
    ...(command === undefined ? {} : { cli: command }),
    idle,
    ...(worker?.spawnerName === undefined ? {} : { parent: worker.spawnerName }),
    ...(group === undefined ? {} : { team: group }),
    ...(worker?.pid === undefined ? {} : { pid: worker.pid }),
  };
}

async function removeAgent(
  { directory, onForgotten }: AgentQueryServices,
  { name, removeMessages = false }: RemoveAgentPayload,
): Promise<RemoveAgentResponsePayload> {
  if (name.length < 1 || name.length > NAME_CHARS) {
    return notRemoved(`Invalid agent name: it must have 1 to ${NAME_CHARS} characters, this one has ${name.length}`);
  }
  if (directory.find(name).length > 0) return notRemoved(`Agent ${name} is connected. Release it first.`);
  if (!(await directory.forget(name, { removeMessages }))) {
    return notRemoved(`Agent ${name} not found in registry or storage`);
  }
  onForgotten(name);
  const more = removeMessages ? " and its messages" : "";
  return { success: true, removed: true, message: `Removed agent ${name}${more}` };
}

function notRemoved(message: string): RemoveAgentResponsePayload {
  return { success: false, removed: false, message };
}
