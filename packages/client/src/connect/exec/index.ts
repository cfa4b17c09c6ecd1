import { ConnectionError, memoryTransport, silentLogger, withoutUndefined } from "@daemon-sdk/protocol";
import { type DaemonConnection, type DaemonSession, keepConnection } from "../../api/index.js";
import type { ResultEvent } from "../../stream/index.js";
import { loadAjv } from "../ajv.js";
import { createConnectDaemon } from "../connect-daemon.js";
import { loadOtelTracing } from "../otel.js";
import {
  checkInProcessOptions,
  type ExecRunOptions,
  type ExecSessionOptions,
  type InProcessOptions,
} from "./exec-options.js";
import { InProcessConnection } from "./in-process-connection.js";

export type {
  ExecAgent,
  ExecAgentOptions,
  ExecRunOptions,
  ExecSessionOptions,
  InProcessOptions,
} from "./exec-options.js";

/**
 * One prompt, one answer, without a daemon: starts the agent, streams the turn, and resolves with the result when the agent has
 * ended.
 *
 * Nothing is stored, and no file is written but by the agent. Needs `@daemon-sdk/local-daemon`, whose core runs in this process;
 * rejects with LOCAL_DAEMON_UNAVAILABLE where that is not installed, otherwise as `connectDaemon` and `DaemonConnection.run` do.
 */
export async function run<Output = unknown>(
  prompt: string,
  options: ExecRunOptions<Output> = {},
): Promise<ResultEvent<Output>> {
  const { agent, logger, onError, ...turn } = options;
  const { signal } = turn;
  const connection = await connectInProcess(withoutUndefined({ agent, logger, onError, signal }));
  try {
    return await connection.run<Output>(prompt, turn);
  } finally {
    await connection.close();
  }
}

/**
 * Starts an agent and makes a session of it, without a daemon. The session ends with this program.
 *
 * `close()`, and `detach()` as well, resolve when the agent has ended. Until then the agent keeps the program running. When the
 * program ends without it, the agent is ended by a guard. Rejects as {@link run} does.
 */
export async function createSession(options: ExecSessionOptions = {}): Promise<DaemonSession> {
  const { agent, logger, onError, ...session } = options;
  const { signal } = session;
  const connection = await open(withoutUndefined({ agent, logger, onError, signal }), true);
  try {
    return await connection.createSession(session);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Runs the core of a daemon in this process, for this connection alone: for several sessions, for lists, and for the inbox.
 *
 * Sessions are in memory and end with the connection. `close()` resolves when their agents have ended. Rejects as {@link run} does.
 */
export function connectInProcess(options: InProcessOptions = {}): Promise<DaemonConnection> {
  return open(options, false);
}

/** The agent of `agent: { command }`, among the daemon's. */
const OWN_AGENT = "agent";

async function open(options: InProcessOptions, isForOneSession: boolean): Promise<DaemonConnection> {
  checkInProcessOptions(options);
  const { agent, permissionHandler, askUserHandler, onError, signal, logger = silentLogger } = options;
  const { createDaemon, PERSON } = await loadServer();
  const own = typeof agent === "object" ? { [OWN_AGENT]: agent } : {};
  const daemon = await createDaemon({ stateDir: false, agentPresets: true, agents: own, logger });
  const connect = createConnectDaemon({
    async loadKeeper() {
      const parts = { daemon, isForOneSession, agent: typeof agent === "object" ? OWN_AGENT : agent };
      return (shared) => ({ ...keepConnection(shared), connection: new InProcessConnection(shared, parts) });
    },
    loadJsonSchema: loadAjv,
    loadTracing: loadOtelTracing,
    async openLocal() {
      const { near, far } = memoryTransport({ logger });
      await daemon.accept(far, PERSON);
      // The wire wants a credential; this link is authenticated already.
      return { transport: near, credential: { token: "local" } };
    },
  });
  try {
    // The daemon ends with this link, and a link in memory is silent only while its two ends have nothing to say.
    const alone = { reconnect: false, heartbeat: false } as const;
    return await connect({
      ...alone,
      ...withoutUndefined({ permissionHandler, askUserHandler, onError, signal, logger }),
    });
  } catch (error) {
    await daemon.close({ drainMs: 0 });
    throw error;
  }
}

async function loadServer(): Promise<typeof import("@daemon-sdk/local-daemon/server")> {
  try {
    return await import("@daemon-sdk/local-daemon/server");
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(
      "LOCAL_DAEMON_UNAVAILABLE",
      "Without a daemon, agents are run by the package @daemon-sdk/local-daemon, which could not be loaded. Install it: " +
        `npm install @daemon-sdk/local-daemon. ${text}`,
      { cause },
    );
  }
}
