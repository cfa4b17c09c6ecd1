import { ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import type { SessionDirectory } from "../../working-directory/index.js";
import { type Call, handle } from "./handler.js";

/**
 * What interfaces ask beside turns: files and differences of a session's directory, models, default settings
 * (docs/protocol.md §6, "Directory"). None of them opens the session or starts its agent.
 */
export const WORKSPACE_HANDLERS = [
  handle("listFiles", async ({ sessionId, showHidden = false }, call) => ({
    result: await call.host.directories.listFiles(await directoryOf(sessionId, call), showHidden),
  })),

  handle("getGitDiff", async ({ sessionId, baseBranch }, call) => ({
    result: await call.host.directories.gitDiff(await directoryOf(sessionId, call), baseBranch),
  })),

  handle("getDefaultSettings", (_params, { client, host }) => {
    const { rules, services } = host;
    const { autonomy } = rules.policies.of(client.principal.keyId);
    const [agent] = rules.agentsOf(client.principal);
    const models = services.models.of(agent);
    return {
      result: {
        ...(autonomy === undefined ? {} : { autonomyLevel: "off", maxAutonomyLevel: autonomy }),
        ...(models.length === 0 ? {} : { availableModels: [...models] }),
      },
    };
  }),

  handle("listModels", ({ agent }, { client, host }) => {
    const names = host.rules.agentsOf(client.principal);
    const [first] = names;
    if (agent !== undefined && !names.includes(agent)) {
      const text = `agent must be one of ${names.join(", ")}.`;
      throw new ProtocolError("INVALID_PARAMS", text, { rpcCode: RpcCode.invalidParams });
    }
    return { result: { models: [...host.services.models.of(agent ?? first)] } };
  }),
];

/** The directory of a session, checked anew: the policy, or what the path leads to, may have changed since. */
async function directoryOf(sessionId: string, { client, sessions, host }: Call): Promise<SessionDirectory> {
  const { cwd, owner } = await sessions.rowOf(sessionId);
  await host.rules.checkDirectory(cwd, owner);
  const mayShow = (directory: string) =>
    host.rules.checkDirectory(directory, owner).then(
      () => true,
      () => false,
    );
  return { cwd, mayShow, hidden: host.rules.stateDir, keyId: client.principal.keyId };
}
