import {
  abortReason,
  type ConnectionError,
  type Logger,
  MachineType,
  ProtocolEngine,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { given } from "../base/index.js";
import type { ConnectDaemonOptions } from "../connection/index.js";
import { authenticate } from "./authenticate.js";
import type { DaemonIdentity } from "./daemon-identity.js";
import { type DialManner, type OpenLink, openLink, type Platform } from "./open-link.js";

/** A link that a daemon has accepted. */
export interface AuthenticatedLink {
  readonly engine: ProtocolEngine;
  readonly identity: DaemonIdentity;
  /** Goes into `token` of the session calls. */
  readonly token: string;
  /** How it has ended, if that was before somebody else took over `engine.onClose`. */
  readonly end: { readonly error: ConnectionError; readonly event: TransportClose } | undefined;
  /** Bytes that were sent and have not left this process. */
  readonly bufferedBytes: number;
  /** Ends it now. */
  terminate(): void;
}

/** What an attempt tells on its way. */
export interface LinkSteps {
  /** In the tick the engine is made. */
  onOpened(engine: ProtocolEngine): void;
}

/**
 * Opens a link and authenticates on it. Rejects with what either says, or with the reason of `manner.signal`; nothing is left open
 * then.
 */
export async function openAuthenticatedLink(
  options: ConnectDaemonOptions,
  platform: Platform,
  logger: Logger,
  { onOpened, ...manner }: DialManner & LinkSteps,
): Promise<AuthenticatedLink> {
  const { signal } = manner;
  const link = await openLink(options, platform, logger, manner);
  const { transport } = link;
  terminateIfAborted(transport, signal);
  const engine = new ProtocolEngine(transport, { prefix: "daemon", logger });
  let end: AuthenticatedLink["end"];
  engine.onClose = (error, event) => {
    end = { error, event };
  };
  onOpened(engine);
  try {
    const identity = await authenticate(engine, handshakeOptions(options, link, signal));
    // The link may have ended between the answer and this line.
    if (end !== undefined) throw end.error;
    return {
      engine,
      identity,
      token: sessionToken(link),
      get end() {
        return end;
      },
      get bufferedBytes() {
        return transport.bufferedBytes;
      },
      terminate: () => transport.terminate(),
    };
  } catch (error) {
    engine.close();
    if (isAborted(signal)) transport.terminate();
    throw error;
  }
}

function handshakeOptions(
  { machine }: ConnectDaemonOptions,
  { credential, endpoint }: OpenLink,
  signal: AbortSignal | undefined,
) {
  return {
    credential,
    machineType: machine?.type ?? MachineType.Local,
    ...given({ endpoint, signal }),
  };
}

/**
 * `token` of the session calls: required (docs/wire/session.md#token-in-session-calls), so a link authenticated by
 * proof sends a word.
 */
function sessionToken({ credential }: OpenLink): string {
  return credential.apiKey ?? credential.token ?? "local";
}

/** Asked more than once: it changes while one waits. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Throws the signal's reason when that is aborted, and leaves nothing open. */
function terminateIfAborted(transport: Transport, signal: AbortSignal | undefined): void {
  if (signal === undefined || !signal.aborted) return;
  transport.terminate();
  throw abortReason(signal);
}
