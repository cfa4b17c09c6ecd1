import type { AuthenticateParams } from "../session/index.js";
import type { Transport } from "./transport.js";

/** A daemon on this machine, as `ensureLocalDaemon` found or started it. */
export interface LocalDaemonEndpoint {
  /** `ours` proves itself before a credential is sent; `droid` is a plain daemon of the original. */
  readonly kind: "ours" | "droid";
  /** `ws+unix://…:/` for ours, `ws://127.0.0.1:N` for a plain one. */
  readonly url: string;
  /** True when this call started it. */
  readonly started: boolean;
  readonly pid?: number;
  readonly instanceId?: string;
  readonly version?: string;
  /** TCP port, if the daemon listens on one. */
  readonly port?: number;
}

/** An open link to the local daemon, and what to authenticate with on it. */
export interface LocalLink {
  readonly transport: Transport;
  readonly endpoint: LocalDaemonEndpoint;
  /** Credential part of `daemon.authenticate`; a proof made for this very socket, so it is worth nothing elsewhere. */
  readonly credential: Pick<AuthenticateParams, "token" | "apiKey" | "proof">;
}

/** Options of `ensureLocalDaemon`. */
export interface EnsureLocalDaemonOptions {
  /**
   * Program of the daemon to start when none runs. Default: the daemon of `@daemon-sdk/local-daemon`. A name or path of
   * a `droid` binary (or `FACTORY_DROID_BINARY`) starts `droid daemon --host 127.0.0.1 --port N` instead.
   */
  readonly execPath?: string;
  /**
   * Path of the file `dist/daemon.cjs` of `@daemon-sdk/local-daemon`, for an application whose bundler left that package elsewhere.
   * Default: `DAEMON_SDK_PROGRAM` of the environment, else as Node finds the package.
   */
  readonly daemonProgram?: string;
  /** Stops waiting. A daemon that was started keeps running. */
  readonly signal?: AbortSignal;
  /** State directory; default `DAEMON_SDK_HOME`, else `$XDG_STATE_HOME/daemon-sdk`, else `~/.local/state/daemon-sdk`. */
  readonly stateDir?: string;
}

/** Options of `connectLocal`. */
export interface ConnectLocalOptions extends EnsureLocalDaemonOptions {
  /** Connects to this port of 127.0.0.1 instead of the unix socket. The daemon must prove itself there, too. */
  readonly daemonPort?: number;
  /** False: starts no daemon, and rejects with DAEMON_NOT_RUNNING when none runs. Default true. */
  readonly start?: boolean;
}
