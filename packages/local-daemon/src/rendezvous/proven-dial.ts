import { type AuthenticateParams, ConnectionError, type Transport } from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { createNonce, createProof, isNonce, PROOF_HEADERS, type ProofContext, verifyProof } from "../access/index.js";

/** The address to dial, and the context of the proof. */
export interface ProvenDialOptions {
  readonly url: string;
  /** Made by this side: an address that the peer states proves nothing. */
  readonly authority: string;
  readonly token: string;
  /** The required start of the daemon. */
  readonly instanceId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** A link whose peer proved that it has the local token. No message was sent on it yet. */
export interface ProvenLink {
  readonly transport: Transport;
  readonly instanceId: string;
  readonly version: string;
  /** Our own proof, valid on this link only. */
  readonly credential: Pick<AuthenticateParams, "proof">;
}

/**
 * Connects, and returns the link only if the peer proves itself in the headers of the 101 response.
 *
 * Rejects with `PEER_NOT_PROVEN` before a byte beyond the upgrade request (which holds a nonce and nothing else) was
 * sent; with the errors of `dialWebSocket` when there is no WebSocket at all.
 */
export async function dialProven(options: ProvenDialOptions): Promise<ProvenLink> {
  const clientNonce = createNonce();
  let context: ProofContext | undefined;
  const transport = await dialWebSocket(options.url, {
    timeoutMs: options.timeoutMs,
    headers: { [PROOF_HEADERS.clientNonce]: clientNonce },
    onUpgrade: (headers) => {
      context = checkedContext(headers, clientNonce, options);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (context === undefined) {
    transport.terminate();
    throw notProven(options, "it sent no proof");
  }
  const { instanceId, version } = context;
  return { transport, instanceId, version, credential: { proof: createProof(options.token, "client", context) } };
}

function checkedContext(
  headers: ReadonlyMap<string, string>,
  clientNonce: string,
  options: ProvenDialOptions,
): ProofContext {
  const proof = headers.get(PROOF_HEADERS.proof);
  const serverNonce = headers.get(PROOF_HEADERS.serverNonce);
  const instanceId = headers.get(PROOF_HEADERS.instance);
  const version = headers.get(PROOF_HEADERS.version);
  if (proof === undefined || !isNonce(serverNonce) || instanceId === undefined || version === undefined) {
    throw notProven(options, "it sent no proof");
  }
  const context = { version, instanceId, clientNonce, serverNonce, authority: options.authority };
  if (!verifyProof(options.token, "server", context, proof)) throw notProven(options, "its proof is wrong");
  if (options.instanceId !== undefined && options.instanceId !== instanceId) {
    throw notProven(options, "it is another start of the daemon than the one on record");
  }
  return context;
}

function notProven(options: ProvenDialOptions, why: string): ConnectionError {
  return new ConnectionError(
    "PEER_NOT_PROVEN",
    `What listens on ${options.authority} is not your local daemon: ${why}. No credential was sent. ` +
      'See "local-daemon status" for where it listens, or pass url and apiKey to connect to another daemon.',
  );
}
