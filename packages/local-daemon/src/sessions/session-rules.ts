import type { InitializeSessionParams, ProtocolError } from "@daemon-sdk/protocol";
import { allowsAutonomy, approves, isConfined, KeyPolicies, type Principal } from "../access/index.js";
import type { AgentCatalog, AgentSpec, AgentStart } from "../agents/index.js";
import { agentParamsOf, agentSettings } from "../conversation/index.js";
import { notAllowed } from "../refusals.js";
import type { SessionRow } from "../storage/index.js";
import { checkDirectory, type DirectoryRules, sessionDirectory } from "./session-directory.js";
import { SessionEnvironments } from "./session-environments.js";

/** Options of {@link SessionRules}. */
export interface SessionRulesOptions {
  readonly agents: AgentCatalog;
  /** Default: no key has a policy. */
  readonly policies?: KeyPolicies | undefined;
  /** The daemon's state directory. Default: none, for a host without one. */
  readonly stateDir?: string | undefined;
}

/** Params of a session that may be made. */
export interface Admitted extends InitializeSessionParams {
  readonly agent: string;
}

/** Params of a prompt that the daemon knows; an agent may know others. */
const PROMPT_KEYS: ReadonlySet<string> = new Set([
  ...["token", "sessionId", "messageId", "text", "images", "files"],
  ...["outputFormat", "skipAgentLoop", "queuePlacement"],
]);

/** Params that only agents know, and that change no permission. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...["systemPrompt", "systemPromptOverride", "disableBuiltinSkills", "sessionSource", "workspaceId"],
]);

/** Calls that only agents answer, and that change neither permissions nor files. */
const READING: ReadonlySet<string> = new Set([
  ...["get_context_breakdown", "get_rewind_info", "list_mcp_servers", "list_mcp_tools", "list_skills"],
]);

/** Answers that let an agent go on by itself, with the autonomy that they name. */
const RAISING = /^proceed_(?:auto_run|new_session)(?:_(low|medium|high))?$/;

/** Modes in which the autonomy level decides what an agent does by itself. */
function isConfinedMode(mode: string | undefined): boolean {
  return mode === undefined || mode === "auto" || mode === "spec";
}

/**
 * What sessions may do: the rules of the daemon, and the policy of the key that owns the session. They are checked when a client
 * calls, and again at each start of an agent, because the policy, or what a path leads to, may have changed since.
 */
export class SessionRules {
  readonly policies: KeyPolicies;
  /** Variables that sessions were made with. */
  readonly environments = new SessionEnvironments();
  readonly #agents: AgentCatalog;
  /** The daemon's state directory, of which no session sees anything. */
  readonly stateDir: string | undefined;

  constructor({ agents, policies = new KeyPolicies(), stateDir }: SessionRulesOptions) {
    this.#agents = agents;
    this.policies = policies;
    this.stateDir = stateDir;
  }

  /** The names of the agents that a principal may ask for, its default first. */
  agentsOf({ keyId }: Principal): string[] {
    const { agents } = this.policies.of(keyId);
    return agents === undefined ? this.#agents.names : this.#agents.names.filter((name) => agents.includes(name));
  }

  /** The params of a new session, with its directory, agent and autonomy. Rejects with -32602 or `NOT_ALLOWED`. */
  async admit(params: InitializeSessionParams, owner: string | undefined): Promise<Admitted> {
    const policy = this.policies.of(owner);
    const { agent = this.agentsOf({ keyId: owner })[0] } = params;
    if (agent !== undefined) this.#checkAgent(agent, owner);
    await this.#agents.seek(agent);
    const spec = this.#agents.choose(agent);
    const { name } = spec;
    this.checkChange(owner, params);
    this.#checkEnv(spec, owner, params.env);
    const cwd = await this.workingDirectory(params.cwd, owner);
    const { autonomyLevel = policy.autonomy === undefined ? undefined : "off" } = params;
    return { ...params, agent: name, cwd, ...(autonomyLevel === undefined ? {} : { autonomyLevel }) };
  }

  /** The directory in which agents of a principal work, for a path that a client wrote. Rejects with -32602 or `NOT_ALLOWED`. */
  workingDirectory(path: string, owner: string | undefined): Promise<string> {
    return sessionDirectory(path, this.#directoryRules(owner));
  }

  /** Rejects when agents of a principal may not work in a directory. One that does not exist passes: nothing happens in it. */
  checkDirectory(directory: string, owner: string | undefined): Promise<void> {
    return checkDirectory(directory, this.#directoryRules(owner));
  }

  /** The agent that a session starts. Rejects when it may not start now. */
  async startable({ id, owner, agent, cwd }: SessionRow): Promise<AgentSpec> {
    await this.#agents.seek(agent);
    const spec = this.#agents.specOf(agent, id);
    this.#checkAgent(agent, owner);
    await this.checkDirectory(cwd, owner);
    const env = this.environments.allowed(id, spec);
    return env === undefined ? spec : { ...spec, env: { ...spec.env, ...env } };
  }

  /** Variables that the session was made with, and that the daemon does not have any more. */
  missingEnv({ id, envNames = [] }: SessionRow): readonly string[] {
    return this.environments.has(id) ? [] : envNames;
  }

  /** What the agent of a session is started with, without what the policy of the session does not allow any more. */
  allowedStart(row: SessionRow, hasConversation: boolean): AgentStart {
    const start = startOf(row, hasConversation);
    const policy = this.policies.of(row.owner);
    if (policy.autonomy === undefined) return start;
    const { autonomyLevel = "off" } = start.settings;
    const level = allowsAutonomy(policy, autonomyLevel) ? autonomyLevel : policy.autonomy;
    const settings = { ...start.settings, autonomyLevel: level };
    if (!isConfined(policy)) return { ...start, settings };
    const { mcpServers: _servers, params, ...rest } = start;
    const { interactionMode, ...kept } = settings;
    const harmless = Object.entries(params ?? {}).filter(([name]) => HARMLESS.has(name));
    return {
      ...rest,
      settings: isConfinedMode(interactionMode) ? settings : kept,
      ...(harmless.length === 0 ? {} : { params: Object.fromEntries(harmless) }),
    };
  }

  /** Checks settings and further params of a session. Throws `NOT_ALLOWED`. */
  checkChange(owner: string | undefined, params: object): void {
    const policy = this.policies.of(owner);
    const { autonomyLevel, interactionMode, mcpServers } = params as Partial<InitializeSessionParams>;
    if (autonomyLevel !== undefined && !allowsAutonomy(policy, autonomyLevel)) {
      throw this.#refusal(owner, `allows the autonomy ${policy.autonomy} at most; ${autonomyLevel} was asked for`);
    }
    if (!isConfined(policy)) return;
    if (!isConfinedMode(interactionMode)) throw this.#refusal(owner, "allows the interaction modes auto and spec only");
    if (mcpServers !== undefined && mcpServers.length > 0) throw this.#refusal(owner, "allows no MCP servers");
    const unknown = Object.keys(agentParamsOf(params) ?? {}).filter((name) => !HARMLESS.has(name));
    if (unknown.length > 0) throw this.#refusal(owner, `allows no params that only the agent knows (${unknown[0]})`);
  }

  /** Checks the params of a prompt. Throws `NOT_ALLOWED`. */
  checkPrompt(owner: string | undefined, params: object): void {
    if (!isConfined(this.policies.of(owner))) return;
    const unknown = Object.keys(params).find((name) => !PROMPT_KEYS.has(name));
    if (unknown !== undefined) throw this.#refusal(owner, `allows no params that only the agent knows (${unknown})`);
  }

  /** Checks a call that is passed on to the agent. Throws `NOT_ALLOWED`. */
  checkCall(owner: string | undefined, method: string): void {
    if (isConfined(this.policies.of(owner)) && !READING.has(method)) throw this.#refusal(owner, `allows no ${method}`);
  }

  /** Why a principal may not answer a request of a session's agent like that; undefined when it may. */
  answerRefusal({ keyId }: Principal, owner: string | undefined, answer: object): ProtocolError | undefined {
    const selected: unknown = Reflect.get(answer, "selectedOption");
    if (typeof selected !== "string" || selected === "cancel") return undefined;
    if (!approves(this.policies.of(keyId))) return this.#refusal(keyId, "leaves approvals to the person");
    const raising = RAISING.exec(selected);
    if (raising === null || allowsAutonomy(this.policies.of(owner), raising[1] ?? "high")) return undefined;
    return this.#refusal(owner, `does not allow ${selected}`);
  }

  /** A client sets variables of names that the agent's configuration allows; an owner with a bounded autonomy sets none. */
  #checkEnv(
    { name: agent, allowEnv = [] }: AgentSpec,
    owner: string | undefined,
    env: Readonly<Record<string, string>> = {},
  ): void {
    const names = Object.keys(env);
    if (names.length > 0 && isConfined(this.policies.of(owner))) throw this.#refusal(owner, "allows no env");
    const refused = names.find((name) => !allowEnv.includes(name));
    if (refused === undefined) return;
    const allowed = allowEnv.length === 0 ? "none" : allowEnv.join(", ");
    throw notAllowed(
      `The agent "${agent}" takes no variable ${JSON.stringify(refused.slice(0, 64))} from clients (agents.${agent}.allowEnv: ${allowed}).`,
    );
  }

  #directoryRules(owner: string | undefined): DirectoryRules {
    return { stateDir: this.stateDir, roots: this.policies.of(owner).cwd };
  }

  #checkAgent(agent: string, owner: string | undefined): void {
    const { agents } = this.policies.of(owner);
    if (agents !== undefined && !agents.includes(agent)) {
      throw this.#refusal(owner, `allows the agents ${agents.join(", ")} only`);
    }
  }

  #refusal(keyId: string | undefined, rule: string): ProtocolError {
    return notAllowed(`The policy of ${this.policies.nameOf(keyId)} ${rule}.`);
  }
}

function startOf(row: SessionRow, hasConversation: boolean): AgentStart {
  const { id: sessionId, agentSessionId, cwd, agentParams, mcpServers, tokenUsage } = row;
  return {
    sessionId,
    cwd,
    settings: agentSettings(row),
    ...(agentParams === undefined ? {} : { params: agentParams }),
    // An agent need not keep a conversation without a message.
    ...(agentSessionId === undefined || !hasConversation ? {} : { resume: agentSessionId }),
    ...(mcpServers === undefined ? {} : { mcpServers }),
    ...(tokenUsage !== undefined && { tokenUsage }),
  };
}
