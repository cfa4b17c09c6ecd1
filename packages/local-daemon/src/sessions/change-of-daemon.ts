import { SessionState } from "@daemon-sdk/protocol";
import type { HeldAgent, KeptAgent } from "../agents/index.js";
import type { Inbox } from "../inbox/index.js";
import type { PendingRequestRow, Store, TurnRow } from "../storage/index.js";
import type { CarriedSession, HeldSession } from "./carried-session.js";
import type { Session } from "./session.js";
import type { SessionVariables } from "./session-environments.js";
import type { SessionHost } from "./session-host.js";

/** What a session gives up when its daemon is replaced. */
export interface HandedOver {
  readonly kept: KeptAgent;
  readonly carried: CarriedSession;
  /** Settles when the agent has acknowledged its prompt. */
  readonly prompted: Promise<void> | undefined;
}

/** What a host gives up when its daemon is replaced. */
export interface Bequest {
  readonly sessions: readonly HandedOver[];
  /** The variables that clients set for their sessions. */
  readonly environments: readonly SessionVariables[];
}

/**
 * Takes the agents that are ready out of their sessions: they run on for another daemon, with their turns and requests. What is
 * queued stays stored. Call it when no client is connected any more; the host's `stop` ends the rest.
 *
 * @param released resolves when agents of holders send no more events
 */
export async function bequeath(host: SessionHost, released: () => Promise<unknown>): Promise<Bequest> {
  const { committer, inbox } = host.services;
  host.shut();
  // Prompts whose state is stored are on their way to their agents.
  await committer.drain();
  for (const { agent } of host.open) agent.suspend();
  await released();
  await committer.drain();
  // Answers go to the agents once they are stored.
  await new Promise((resolve) => setImmediate(resolve));
  const sessions = host.open.map((session) => handOver(session, inbox)).filter((one) => one !== undefined);
  return { sessions, environments: host.rules.environments.all() };
}

/**
 * Takes the agent out of a session, which runs on for another daemon, with its turn and requests. Undefined when it has none that is
 * ready. Call it once its agent is suspended, and all entries are committed.
 */
function handOver(session: Session, inbox: Pick<Inbox, "handOver">): HandedOver | undefined {
  const kept = session.agent.handOver();
  if (kept === undefined) return undefined;
  const state = session.log.state.snapshot();
  const running = session.turns.handOver();
  const { id: sessionId, memory, availableModels, keepsAgent, inactivityTimeoutMs } = session;
  const requests = inbox.handOver(sessionId);
  const options = { availableModels, keepsAgent, inactivityTimeoutMs };
  const carried = { sessionId, bound: kept.bound, state, turn: running?.turn, requests, memory, ...options };
  return { kept, carried, prompted: running?.taken };
}

/** What {@link takeOver} needs. */
export interface TakeOver {
  readonly held: HeldSession;
  /** Open turns and pending requests, as they are stored. */
  readonly turns: readonly TurnRow[];
  readonly requests: readonly PendingRequestRow[];
  readonly inbox: Pick<Inbox, "restore">;
  readonly store: Pick<Store, "readEntries">;
}

/** Goes on with the agent, the turns and the requests that another daemon handed over. */
export async function takeOver(session: Session, parts: TakeOver): Promise<void> {
  const { held, turns } = parts;
  const { bound, state, turn, memory, availableModels, keepsAgent, inactivityTimeoutMs } = held.carried;
  session.log.state = SessionState.from(state);
  Object.assign(session.memory, memory);
  session.availableModels = availableModels;
  session.keepsAgent = keepsAgent;
  session.inactivityTimeoutMs = inactivityTimeoutMs;
  const agent = session.agent.adopt(bound, held.adopt);
  session.turns.restore(turns, turn === undefined ? undefined : { turn, agent, taken: agent.prompted() });
  for (const row of parts.requests) await restoreRequest(session, row, agent, parts);
}

async function restoreRequest(
  session: Session,
  row: PendingRequestRow,
  agent: HeldAgent,
  { held, inbox, store }: TakeOver,
): Promise<void> {
  const known = held.carried.requests.find(({ id }) => id === row.id);
  if (known === undefined) return;
  const { method, turnId } = row;
  const { seq, agentId } = known;
  const { entries } = await store.readEntries(session.id, seq, 1);
  const request = agent.request({ id: agentId, method, params: JSON.parse(row.params) });
  const place = { log: session.log, addressees: session.attached, owner: session.row.owner, turnId };
  inbox.restore(row, request, { frame: entries[0] ?? "", seq }, place);
}
