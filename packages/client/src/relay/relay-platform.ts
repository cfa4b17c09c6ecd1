import type { ByteLink } from "@daemon-sdk/transport-ws";

/** What an attempt to connect is given. */
export interface RelayDialRequest {
  /** Aborted when the caller gives up; the dial then rejects and leaves nothing open. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** An open link, and what HELLO has to carry on it where the daemon wants more than a name (over TCP). */
export interface RelayDialResult {
  readonly link: ByteLink;
  readonly credential?: { readonly proof?: string; readonly ticket?: string };
}

/** Opens a link to a relay daemon. Pass your own as `dial`. */
export type RelayDial = (request: RelayDialRequest) => Promise<RelayDialResult>;

/** What differs between Node and a browser; each entry point brings its own. */
export interface RelayPlatform {
  /** Calls back once the present turn of the event loop is over: what is written until then leaves in one piece. */
  soon(callback: () => void): void;
  /** Opens a unix socket. */
  dialSocket(path: string, request: RelayDialRequest): Promise<ByteLink>;
  /** Socket path of the local daemon, which is found or started. */
  findLocalDaemon(signal: AbortSignal): Promise<string>;
  /** A variable of the environment; undefined where there is none. */
  environment(name: string): string | undefined;
}
