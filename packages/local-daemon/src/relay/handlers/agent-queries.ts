import {
  type AgentSummary,
  createEnvelope,
  type RemoveAgentPayload,
  type RemoveAgentResponsePayload,
  type WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import { type AgentRecord, addressFor, isInternalName, type RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import type { RelayParts } from "./relay-parts.js";

/** Options of {@link agentQueryHandlers}. */
export interface AgentQueryOptions
  extends Pick<RelayParts, "directory" | "elsewhere" | "mailboxes" | "channels" | "logger"> {
  /** Agents that were spawned and run. */
  workers(): readonly WorkerSummary[];
  /** Ends the worker of that name, with its connection. */
  endWorker(name: string): Promise<void>;
}

/**
 * LIST_AGENTS, LIST_CONNECTED_AGENTS and REMOVE_AGENT (docs/wire/relay.md#queries). Answers carry the id of the query.
 *
 * The connections of a name that is removed end first, with a fatal ERROR: otherwise it would be connected and unknown.
 */
export function agentQueryHandlers(options: AgentQueryOptions): HandlerGroup {
  const fail = (peer: RelayPeer, refId: string) => (error: unknown) => {
    const message = `The query failed: ${error instanceof Error ? error.message : String(error)}`;
    options.logger.error({ agent: peer.name, refId }, message);
    peer.refuse("INTERNAL", message, { refId });
  };
  return {
    handlers: {
      LIST_AGENTS: (peer, { id, payload }) => {
        const agents = payload.includeIdle === true ? knownAgents(options) : connectedAgents(options);
        peer.send(createEnvelope("LIST_AGENTS_RESPONSE", { agents }, { id }));
      },
      LIST_CONNECTED_AGENTS: (peer, { id }) =>
        peer.send(createEnvelope("LIST_CONNECTED_AGENTS_RESPONSE", { agents: connectedAgents(options) }, { id })),
      REMOVE_AGENT: (peer, { id, payload }) => {
        removeAgent(options, peer, payload)
          .then((result) => peer.send(createEnvelope("REMOVE_AGENT_RESPONSE", result, { id })))
          .catch(fail(peer, id));
      },
    },
  };
}

/** Agents here, then those on other machines, of which only the name is known. */
function connectedAgents({ directory, elsewhere, workers }: AgentQueryOptions): AgentSummary[] {
  const spawned = new Map(workers().map((worker) => [worker.name, worker]));
  const here = directory
    .agents()
    .filter(({ name }) => !isInternalName(name))
    .map(({ name, hello }) => summaryOf({ name, cli: hello.cli, team: hello.team }, spawned.get(name), false));
  const names = elsewhere.connected("agent").filter((name) => !directory.isHere(name));
  return [...here, ...names.map((name) => ({ name, idle: false }))];
}

function knownAgents(options: AgentQueryOptions): AgentSummary[] {
  const connected = connectedAgents(options);
  const names = new Set(connected.map(({ name }) => name));
  const away = options.directory
    .known()
    .filter(({ name, entityType }) => entityType === "agent" && !isInternalName(name) && !names.has(name));
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
  options: AgentQueryOptions,
  by: RelayPeer,
  { name, removeMessages = false }: RemoveAgentPayload,
): Promise<RemoveAgentResponsePayload> {
  const { directory, mailboxes, channels } = options;
  const { nameChars } = MESSAGING_LIMITS;
  if (name.length < 1 || name.length > nameChars) {
    return notRemoved(`Invalid agent name: it must have 1 to ${nameChars} characters, this one has ${name.length}`);
  }
  const isConnected = directory.find(name).length > 0;
  if (isConnected && !by.actsForPerson) {
    return notRemoved(`Agent ${name} is connected: only a program that acts for the person can remove it.`);
  }
  if (isConnected && name === by.name) return notRemoved(`Agent ${name} is the one that asks. Send BYE instead.`);
  const hasMail = (["agent", "user"] as const).some((entityType) => mailboxes.hasMail(addressFor(name, entityType)));
  if (hasMail && !by.actsForPerson) {
    return notRemoved(`Mail waits for agent ${name}: only a program that acts for the person can remove it.`);
  }
  if (isConnected) await disconnect(options, name, by.name);
  const { wasKnown, addresses } = await directory.forget(name);
  if (removeMessages) for (const address of addresses) await mailboxes.remove(address);
  if (!wasKnown) return notRemoved(`Agent ${name} not found in registry or storage`);
  channels.forget(name);
  const more = removeMessages ? " and its messages" : "";
  return { success: true, removed: true, message: `Removed agent ${name}${more}` };
}

/** Ends every connection of a name, and its process when the daemon has started that. */
async function disconnect(
  { directory, workers, endWorker }: AgentQueryOptions,
  name: string,
  by: string,
): Promise<void> {
  if (workers().some((worker) => worker.name === name)) await endWorker(name);
  const peers = [...directory.agents(), ...directory.users()].filter((peer) => peer.name === name);
  for (const peer of peers) peer.refuse("BAD_REQUEST", `Agent "${name}" was removed by "${by}".`, { fatal: true });
}

function notRemoved(message: string): RemoveAgentResponsePayload {
  return { success: false, removed: false, message };
}
