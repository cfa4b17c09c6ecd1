import { type EnvelopeMeta, type MethodPrefix, RpcCode, type RpcError, type Transport } from "@daemon-sdk/protocol";
import { type IncomingFrame, readFrame, writeFrame } from "./frames.js";

/** What one link hands to the daemon behind it. */
export interface FakeLinkOwner {
  readonly protocolVersion: string | undefined;
  onRequest(link: FakeLink, request: Extract<IncomingFrame, { kind: "request" }>): void;
  onResponse(link: FakeLink, response: Extract<IncomingFrame, { kind: "response" }>): void;
  onBadFrame(link: FakeLink, text: string): void;
  onEnd(link: FakeLink): void;
}

const PREFIX: MethodPrefix = "daemon";

/** One client's connection to the fake daemon. */
export class FakeLink {
  /** From 1, in the order of the dials. */
  readonly number: number;
  isAuthenticated = false;
  readonly #transport: Transport;
  readonly #owner: FakeLinkOwner;

  constructor(number: number, transport: Transport, owner: FakeLinkOwner) {
    this.number = number;
    this.#transport = transport;
    this.#owner = owner;
    transport.onMessage = (text) => this.#read(text);
    transport.onClose = () => owner.onEnd(this);
  }

  #read(text: string): void {
    const frame = readFrame(text);
    if (frame.kind === "request") this.#owner.onRequest(this, frame);
    else if (frame.kind === "response") this.#owner.onResponse(this, frame);
    else if (frame.kind === "bad") {
      this.#owner.onBadFrame(this, text);
      this.fail(null, { code: RpcCode.parseError, message: "Invalid JSON-RPC message" });
    }
  }

  reply(id: string, result: unknown): void {
    this.#send({ type: "response", id, result });
  }

  fail(id: string | null, error: RpcError): void {
    this.#send({ type: "response", id, error });
  }

  /** @param method without its prefix */
  notify(method: string, params: object, meta?: EnvelopeMeta): void {
    this.#send({ type: "notification", method: `${PREFIX}.${method}`, params }, meta);
  }

  /** @param method without its prefix */
  request(id: string, method: string, params: object, meta?: EnvelopeMeta): void {
    this.#send({ type: "request", id, method: `${PREFIX}.${method}`, params }, meta);
  }

  sendRaw(text: string): void {
    this.#transport.send(text);
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason);
  }

  #send(body: Record<string, unknown>, meta?: EnvelopeMeta): void {
    this.#transport.send(writeFrame(this.#owner.protocolVersion, body, meta));
  }
}

/** Name of a method without its prefix, or undefined for one of another wire. */
export function withoutPrefix(method: string): string | undefined {
  return method.startsWith(`${PREFIX}.`) ? method.slice(PREFIX.length + 1) : undefined;
}
