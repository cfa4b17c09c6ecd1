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

/** An authenticated connection of the command line. */
export interface DaemonCall extends Disposable {
  readonly engine: ProtocolEngine;
  readonly endpoint: LocalDaemonEndpoint;
  readonly capabilities: DaemonCapabilities;
}

/** How the command line names itself to the daemon. */
const CALLER: Pick<AuthenticateParams, "caller" | "metadata"> = {
  caller: "local-daemon-cli",
  metadata: { tracing: { app: "local-daemon-cli", machineType: "local" } },
};

/** Session calls carry a token; on a proven local link it says nothing new (docs/protocol.md). */
export const LOCAL_TOKEN = "local";

/** Name of this machine, as sessions are told. */
export const MACHINE_ID: string = hostname();

/** Connects and authenticates; starts the daemon when none runs. */
export async function callDaemon(stateDir: string): Promise<DaemonCall> {
  return authenticate(await connectOurs(stateDir));
}

/** The same, but with the daemon that runs: `DAEMON_NOT_RUNNING` when there is none. */
export async function callRunningDaemon(stateDir: string): Promise<DaemonCall> {
  return authenticate(await connectOurs(stateDir, undefined, false));
}

/** Makes a proven link a connection that may call. */
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
