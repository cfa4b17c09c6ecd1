import type { IncomingMessage } from "node:http";
import {
  createNonce,
  createProof,
  isNonce,
  PROOF_HEADERS,
  type ProofContext,
  tcpAuthority,
  UNIX_AUTHORITY,
  verifyProof,
} from "../access/index.js";

/** What the proofs of an upgrade are made of, beside the nonces. */
export interface UpgradeProofOptions {
  readonly token: string;
  readonly instanceId: string;
  readonly version: string;
  /** The bound TCP port; undefined on the unix socket. */
  readonly port: number | undefined;
}

/** The proofs of one upgrade: the daemon's own, in the headers of its response, and the check of the client's. */
export class UpgradeProof {
  readonly #token: string;
  readonly #context: ProofContext;

  /** Undefined for a client that asks for no proof: the request has no nonce, or more than one. */
  static of(request: IncomingMessage, options: UpgradeProofOptions): UpgradeProof | undefined {
    const [clientNonce, ...more] = request.headersDistinct[PROOF_HEADERS.clientNonce] ?? [];
    return isNonce(clientNonce) && more.length === 0 ? new UpgradeProof(clientNonce, options) : undefined;
  }

  private constructor(clientNonce: string, { token, instanceId, version, port }: UpgradeProofOptions) {
    this.#token = token;
    // The daemon's own authority, not the request's: a program in between must not decide what the daemon proves.
    const authority = port === undefined ? UNIX_AUTHORITY : tcpAuthority(port);
    this.#context = { version, instanceId, clientNonce, serverNonce: createNonce(), authority };
  }

  get headers(): Record<string, string> {
    const { serverNonce, instanceId, version } = this.#context;
    return {
      [PROOF_HEADERS.proof]: createProof(this.#token, "server", this.#context),
      [PROOF_HEADERS.serverNonce]: serverNonce,
      [PROOF_HEADERS.instance]: instanceId,
      [PROOF_HEADERS.version]: version,
    };
  }

  /** Whether a holder of the token made this proof for this upgrade. */
  verify(proof: string): boolean {
    return verifyProof(this.#token, "client", this.#context, proof);
  }
}
