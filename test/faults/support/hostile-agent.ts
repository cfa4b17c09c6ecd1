import { join } from "node:path";

/** Programs are started in the root of the repository. */
const PROGRAM = join(process.cwd(), "test", "faults", "support", "hostile-agent.mjs");

/** What a daemon's `config.json` says so that its sessions have the agent of `hostile-agent.mjs`. */
export function hostileAgents(env: Readonly<Record<string, string>> = {}): object {
  return { agents: { hostile: { command: [process.execPath, PROGRAM], env } }, defaultAgent: "hostile" };
}
