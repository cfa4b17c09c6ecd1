import type { ByteLink } from "@daemon-sdk/transport-ws";

/** Parameters of one attempt to connect. */
export interface RelayDialRequest {
  /** Aborted when the caller gives up. The dial then rejects, and no link stays open. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** An open link, and the credential for HELLO where the daemon requires one (over TCP). */
export interface RelayDialResult {
  readonly link: ByteLink;
  readonly credential?: { readonly proof?: string; readonly ticket?: string };
}

/** Opens a link to a relay daemon. Pass your own as `dial`. */
export type RelayDial = (request: RelayDialRequest) => Promise<RelayDialResult>;

/** What differs between Node and a browser; each entry point has its own. */
export interface RelayPlatform {
  /** Calls back after the present turn of the event loop, so that everything written in this turn is sent in one piece. */
  soon(callback: () => void): void;
  /** Opens a unix socket. */
  dialSocket(path: string, request: RelayDialRequest): Promise<ByteLink>;
  /** Socket path of the local daemon, which is found or started. */
  findLocalDaemon(signal: AbortSignal): Promise<string>;
  /** A variable of the environment; undefined where there is none. */
  environment(name: string): string | undefined;
}
