import { hostname } from "node:os";
import {
  type AuthenticateParams,
  type DaemonCapabilities,
  type LocalDaemonEndpoint,
  type LocalLink,
  METHODS,
  ProtocolEngine,
} from "@daemon-sdk/protocol";
import { connectOurs } from "../rendezvous/index.js";
import type { Terminal } from "./terminal.js";

/** An authenticated connection of the command line. */
export interface DaemonCall extends Disposable {
  readonly engine: ProtocolEngine;
  readonly endpoint: LocalDaemonEndpoint;
  readonly capabilities: DaemonCapabilities;
}

/** How the command line identifies itself to the daemon. */
const CALLER: Pick<AuthenticateParams, "caller" | "metadata"> = {
  caller: "local-daemon-cli",
  metadata: { tracing: { app: "local-daemon-cli", machineType: "local" } },
};

/** Session calls require a token. On a proven local link its value is not checked (docs/protocol.md). */
export const LOCAL_TOKEN = "local";

/** `machineId` of new sessions: the name of this machine. */
export const MACHINE_ID: string = hostname();

/** Connects and authenticates. Starts a daemon when none runs, which may take its time. */
export async function callDaemon(stateDir: string, terminal?: Pick<Terminal, "progress">): Promise<DaemonCall> {
  using _progress = terminal?.progress("Starting the daemon");
  return await authenticate(await connectOurs({ stateDir }));
}

/** As {@link callDaemon}, but starts no daemon: rejects with `DAEMON_NOT_RUNNING` when none runs. */
export async function callRunningDaemon(stateDir: string): Promise<DaemonCall> {
  return authenticate(await connectOurs({ stateDir, start: false }));
}

/** Authenticates on a proven link. */
export async function authenticate({ transport, credential, endpoint }: LocalLink): Promise<DaemonCall> {
  const engine = new ProtocolEngine(transport, { prefix: "daemon" });
  try {
    const { capabilities = {} } = await engine.request(METHODS.authenticate, { ...credential, ...CALLER });
    return { engine, endpoint, capabilities, [Symbol.dispose]: () => engine.close() };
  } catch (error) {
    engine.close();
    throw error;
  }
}
