import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DaemonError, newId, type SessionId } from "@daemon-sdk/protocol";
import type { AgentReady, AgentSpawner, AgentSpec } from "../agent.js";
import { programPath } from "../presets.js";
import { IGNORED_EVENTS } from "./ignored-events.js";

/** What one start of an agent showed. */
export interface AgentFinding {
  readonly name: string;
  readonly driver: AgentSpec["driver"];
  /** Path of its program; absent when there is none. */
  readonly path?: string;
  /**
   * `ready`: it opened a conversation. `login required`: it wants a person to log in first. `missing`: there is no such program.
   * `failed`: as `problem` says. `not asked`: a program of the relay, which opens no conversation.
   */
  readonly state: "ready" | "login required" | "missing" | "failed" | "not asked";
  readonly version?: string;
  readonly models?: readonly string[];
  readonly modes?: readonly string[];
  readonly problem?: string;
}

/** Starts an agent in an empty directory, opens a conversation, and stops it: whether it would work for a session. */
export async function probeAgent(
  spec: AgentSpec,
  spawner: AgentSpawner,
  path: string | undefined,
): Promise<AgentFinding> {
  const { name, driver } = spec;
  const found = programPath(spec.command[0], path);
  if (found === undefined)
    return { name, driver, state: "missing", problem: `There is no program "${spec.command[0]}".` };
  if (driver === "relay") return { name, driver, path: found, state: "not asked" };
  const cwd = await mkdtemp(join(tmpdir(), "daemon-sdk-probe-"));
  try {
    const ready = await openOnce(spec, spawner, cwd);
    return { name, driver, path: found, state: "ready", ...readyFacts(ready) };
  } catch (error) {
    const state = DaemonError.is(error, "AGENT_LOGIN_REQUIRED") ? "login required" : "failed";
    const problem = error instanceof Error ? error.message : String(error);
    return { name, driver, path: found, state, problem };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function openOnce(spec: AgentSpec, spawner: AgentSpawner, cwd: string): Promise<AgentReady> {
  const sessionId = newId() as SessionId;
  const agent = await spawner.spawn(spec, sessionId, cwd, IGNORED_EVENTS);
  try {
    return await agent.open({ sessionId, cwd, settings: {} });
  } finally {
    await agent.stop();
  }
}

function readyFacts({ version, availableModels, settings }: AgentReady): Partial<AgentFinding> {
  const options = Array.isArray(settings.agentOptions) ? settings.agentOptions : [];
  const mode = options.find(({ category }) => category === "mode");
  const values: { value: string }[] = mode?.values ?? [];
  return {
    ...(version !== undefined && { version }),
    ...(availableModels !== undefined && { models: availableModels.map(({ id }) => id) }),
    ...(values.length > 0 && { modes: values.map(({ value }) => value) }),
  };
}
