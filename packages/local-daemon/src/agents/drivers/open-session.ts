import { isRecord, ProtocolError, type SessionSettings, type SettingsParams } from "@daemon-sdk/protocol";
import type { AgentReady, AgentStart } from "../agent.js";

/** The machine's name in `initialize_session`; the wire wants one, and an agent of ours is always on this machine. */
const MACHINE_ID = "local";

/** Params of `initialize_session` on an agent's stdin; no token: the pipe is the credential. */
export function initializeParams(start: AgentStart): Record<string, unknown> {
  return { ...start.params, machineId: MACHINE_ID, cwd: start.cwd, ...start.settings, ...mcpServersOf(start) };
}

/**
 * Params of `load_session` on an agent's stdin. The daemon has the messages itself, so it asks for as few as every agent's schema
 * lets it: a long conversation does not fit into one answer.
 */
export function loadParams(start: AgentStart): Record<string, unknown> {
  return { ...start.params, cwd: start.cwd, messageLimit: 1, loadAllMessages: false, ...mcpServersOf(start) };
}

/** What is known of a conversation whose answer was too large to be read: the agent has it, under the id of the request. */
export function readyUnread(start: AgentStart, agentSessionId: string): AgentReady {
  return { agentSessionId, settings: { modelId: "default", reasoningEffort: "none", ...start.settings } };
}

function mcpServersOf({ mcpServers }: AgentStart): Record<string, unknown> {
  return mcpServers === undefined ? {} : { mcpServers };
}

/** Where an answer came from, for the error that says what is wrong with it. */
export interface OpenContext {
  readonly agent: string;
  readonly method: string;
  /** The id the agent was called with; it may answer with another. */
  readonly sessionId: string;
}

/** Reads the answer to either call; throws a `ProtocolError` (`INVALID_RESULT`) when the daemon could not work with it. */
export function readyFrom(result: unknown, context: OpenContext): AgentReady {
  const { agent, method } = context;
  if (!isRecord(result) || !isRecord(result.settings)) {
    throw new ProtocolError(
      "INVALID_RESULT",
      `Agent "${agent}" answered ${method} without \`settings\`. It must answer { sessionId, session, settings }.`,
    );
  }
  const { sessionId, availableModels } = result;
  return {
    agentSessionId: typeof sessionId === "string" && sessionId !== "" ? sessionId : context.sessionId,
    settings: { modelId: "default", reasoningEffort: "none", ...result.settings },
    ...(Array.isArray(availableModels) && { availableModels: availableModels.filter(isModel) }),
  };
}

function isModel(value: unknown): value is { id: string; displayName: string } {
  return isRecord(value) && typeof value.id === "string" && typeof value.displayName === "string";
}

/** The wanted settings that a resumed agent does not have; undefined when it has them all. */
export function changedSettings(wanted: SettingsParams, actual: SessionSettings): SettingsParams | undefined {
  const changed = Object.entries(wanted).filter(
    ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(actual[name]),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
