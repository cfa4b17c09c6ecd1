import type { SessionId } from "@daemon-sdk/protocol";
import { agentParamsOf, pickSettings } from "../conversation/index.js";
import type { SessionRow } from "../storage/index.js";
import type { Admitted } from "./session-rules.js";

/** The row of a session that is made. */
export function newSessionRow(id: SessionId, params: Admitted, owner: string | undefined, now: number): SessionRow {
  const { agent, cwd, tags = [], mcpServers, env } = params;
  const asked = pickSettings(params);
  return {
    ...{ id, owner, agent, cwd, tags, mcpServers },
    agentSessionId: undefined,
    title: undefined,
    // Clients of the original want these two; the agent's own replace them.
    settings: { modelId: "", reasoningEffort: "none", ...asked },
    askedSettings: Object.keys(asked),
    agentParams: agentParamsOf(params),
    ...(env === undefined ? {} : { envNames: Object.keys(env) }),
    tokenUsage: undefined,
    createdAt: now,
    updatedAt: now,
    archivedAt: undefined,
  };
}
