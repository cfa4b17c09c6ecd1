import { createHmac, randomBytes } from "node:crypto";
import { secretsEqual } from "./secrets.js";

/** Headers of the WebSocket upgrade that carry the proof (docs/protocol.md, "Proof"). Names in lower case. */
export const PROOF_HEADERS = {
  /** Request: the client's nonce. Without it the daemon sends no proof. */
  clientNonce: "x-daemon-sdk-nonce",
  /** 101: the daemon's proof … */
  proof: "x-daemon-sdk-proof",
  /** … and the other inputs of that proof. */
  serverNonce: "x-daemon-sdk-server-nonce",
  instance: "x-daemon-sdk-instance",
  version: "x-daemon-sdk-version",
} as const;

/** Label of the proving side. Without it, an attacker could send the client's own proof back. */
export type ProofLabel = "server" | "client";

/**
 * What a proof is about. Both nonces, so that an old proof is worth nothing; the authority, so that a proof made for one
 * address is worth nothing at another: a stranger who forwards what it receives to the real daemon fails on it.
 */
export interface ProofContext {
  readonly version: string;
  readonly instanceId: string;
  readonly clientNonce: string;
  readonly serverNonce: string;
  /** `127.0.0.1:<port>` on TCP, `unix` on the socket; of the side that computes, never as a peer states it. */
  readonly authority: string;
}

/** Authority of the unix socket. */
export const UNIX_AUTHORITY = "unix";

const NONCE = /^[A-Za-z0-9_-]{43}$/;
const PROOF = /^[0-9a-f]{64}$/;
/** No field may hold the separator, or two different contexts could read the same. */
const SEPARATOR = "|";

/** Authority of a TCP port of this machine. The daemon listens on 127.0.0.1 only, so there is one spelling. */
export function tcpAuthority(port: number): string {
  return `127.0.0.1:${port}`;
}

/** 32 random bytes, base64url. */
export function createNonce(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether a text has the form of a nonce. A short one must not get a proof. */
export function isNonce(text: string | undefined): text is string {
  return text !== undefined && NONCE.test(text);
}

/** HMAC-SHA256 under the local token, in hex. */
export function createProof(token: string, label: ProofLabel, context: ProofContext): string {
  return createHmac("sha256", token).update(fieldsOf(label, context).join(SEPARATOR)).digest("hex");
}

/** Whether `proof` was made with the token, for this context. Constant time; never throws. */
export function verifyProof(token: string, label: ProofLabel, context: ProofContext, proof: string): boolean {
  if (!PROOF.test(proof) || !isNonce(context.clientNonce) || !isNonce(context.serverNonce)) return false;
  if (fieldsOf(label, context).some((field) => field === "" || field.includes(SEPARATOR))) return false;
  return secretsEqual(proof, createProof(token, label, context));
}

function fieldsOf(label: ProofLabel, context: ProofContext): string[] {
  return [label, context.version, context.instanceId, context.clientNonce, context.serverNonce, context.authority];
}
