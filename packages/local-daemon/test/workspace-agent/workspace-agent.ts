import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newId, type SessionId } from "@daemon-sdk/protocol";
import { buildSync } from "esbuild";
import { afterAll } from "vitest";
import { openAgent, type Running, startAgent, tempDir } from "../agents/agent-harness.js";

let bundle: string | undefined;
let built: string | undefined;
afterAll(() => {
  if (built !== undefined) rmSync(built, { recursive: true, force: true });
});

/** The agent as one file, as the package ships it; built once for a test file. */
export function workspaceAgentEntry(): string {
  if (bundle !== undefined) return bundle;
  const directory = mkdtempSync(join(tmpdir(), "workspace-agent-"));
  built = directory;
  const path = join(directory, "workspace-agent.cjs");
  buildSync({
    entryPoints: [fileURLToPath(new URL("../../src/workspace-agent/main.ts", import.meta.url))],
    outfile: path,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    conditions: ["@daemon-sdk/source"],
    logLevel: "warning",
  });
  bundle = path;
  return path;
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
