import { join } from "node:path";
import { newId, type SessionId } from "@daemon-sdk/protocol";
import { openAgent, type Running, startAgent, tempDir } from "../agents/agent-harness.js";
import { bundledProgram } from "../support/bundled-program.js";

let bundle: string | undefined;

/** The agent as one file, as the package ships it; built once for all files of tests that share a process. */
export function workspaceAgentEntry(): string {
  bundle ??= bundledProgram("src/workspace-agent/main.ts");
  return bundle;
}

/** A directory that is the session's cwd, and another for the agent's state, for one test. */
export interface Desk extends AsyncDisposable {
  readonly cwd: string;
  readonly stateDir: string;
  /** Starts the agent and opens a new session. */
  open(settings?: object, sessionId?: SessionId): Promise<Running>;
  /** Starts the agent without opening anything. */
  start(sessionId?: SessionId): Promise<Running>;
}

/** @param stateIn name of a directory in the session's own that is the daemon's state directory; default: one elsewhere */
export async function desk({ stateIn }: { stateIn?: string } = {}): Promise<Desk> {
  const cwd = await tempDir();
  const state = await tempDir();
  const stateDir = stateIn === undefined ? state.path : join(cwd.path, stateIn);
  const options = (sessionId: SessionId) => ({
    command: [process.execPath, workspaceAgentEntry()] as const,
    cwd: cwd.path,
    stateDir,
    sessionId,
  });
  return {
    cwd: cwd.path,
    stateDir,
    open: (settings = {}, sessionId = newId<SessionId>()) => openAgent(options(sessionId), settings),
    start: (sessionId = newId<SessionId>()) => startAgent(options(sessionId)),
    async [Symbol.asyncDispose]() {
      await cwd[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}
