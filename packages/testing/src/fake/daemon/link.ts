import { CloseCode, type EnvelopeMeta, type MethodPrefix, type RpcError, type Transport } from "@daemon-sdk/protocol";
import { type IncomingFrame, readFrame, writeFrame } from "../wire/index.js";
import type { FaultSwitches, FaultyTransport } from "./faults/index.js";

/** Callbacks of a link to its daemon. */
export interface FakeLinkOwner {
  readonly protocolVersion: string | undefined;
  /** @param units length of the request's text */
  onRequest(link: FakeLink, request: Extract<IncomingFrame, { kind: "request" }>, units: number): void;
  onResponse(link: FakeLink, response: Extract<IncomingFrame, { kind: "response" }>): void;
  onNotification(link: FakeLink, notification: Extract<IncomingFrame, { kind: "notification" }>): void;
  onBadFrame(link: FakeLink, text: string): void;
  onEnd(link: FakeLink): void;
}

const PREFIX: MethodPrefix = "daemon";

/** One client's connection to the fake daemon. */
export class FakeLink implements FaultSwitches {
  /** From 1, in the order of the dials. */
  readonly number: number;
  isOpen = true;
  isAuthenticated = false;
  /** The credential with which the client authenticated. */
  principal = "";
  /** Whether the client has used extensions (docs/protocol.md §8). Then it does not answer requests that it cannot handle. */
  usesExtensions = false;
  /** Number of refused credentials. */
  refusals = 0;
  readonly #transport: Transport;
  readonly #wire: FaultyTransport;
  readonly #owner: FakeLinkOwner;
  #lastText: string | undefined;

  /** @param wire the client's end, which holds messages for faults */
  constructor(number: number, transport: Transport, wire: FaultyTransport, owner: FakeLinkOwner) {
    this.number = number;
    this.#transport = transport;
    this.#wire = wire;
    this.#owner = owner;
    transport.onMessage = this.#onMessage;
    transport.onClose = () => {
      this.isOpen = false;
      owner.onEnd(this);
    };
  }

  readonly #onMessage = (text: string): void => {
    const frame = readFrame(text);
    if (frame.kind === "request") this.#owner.onRequest(this, frame, text.length);
    else if (frame.kind === "response") this.#owner.onResponse(this, frame);
    else if (frame.kind === "notification") this.#owner.onNotification(this, frame);
    else {
      this.#owner.onBadFrame(this, text);
      if (frame.isAnswered) this.fail(frame.id, { code: frame.code, message: frame.message });
    }
  };

  reply(id: string, result: unknown): void {
    this.#send({ type: "response", id, result });
  }

  fail(id: string | null, error: RpcError): void {
    this.#send({ type: "response", id, error });
  }

  /** Returns the frame. @param method without its prefix */
  notify(method: string, params: object, meta?: EnvelopeMeta): string {
    return this.#send({ type: "notification", method: `${PREFIX}.${method}`, params }, meta);
  }

  /** Returns the frame. @param method without its prefix */
  request(id: string, method: string, params: object, meta?: EnvelopeMeta): string {
    return this.#send({ type: "request", id, method: `${PREFIX}.${method}`, params }, meta);
  }

  sendRaw(text: string): void {
    this.#lastText = text;
    this.#transport.send(text);
  }

  drop(): void {
    this.#wire.cut();
  }

  close(code: number = CloseCode.normal, reason?: string): void {
    this.#transport.close(code, reason);
  }

  delay(ms: number): void {
    this.#wire.delay(ms);
  }

  stall(): void {
    this.#wire.stall();
  }

  slow(): void {
    this.#transport.onMessage = undefined;
  }

  heal(): void {
    this.#transport.onMessage = this.#onMessage;
    this.#wire.heal();
  }

  sendBadFrame(text = '{"jsonrpc":"2.0","type":"notifi'): void {
    this.sendRaw(text);
  }

  sendUnknownNotification(): void {
    this.notify("something_of_tomorrow", { value: 1 });
  }

  repeatLastFrame(): void {
    if (this.#lastText !== undefined) this.sendRaw(this.#lastText);
  }

  #send(body: Record<string, unknown>, meta?: EnvelopeMeta): string {
    const text = writeFrame(this.#owner.protocolVersion, body, meta);
    this.sendRaw(text);
    return text;
  }
}

/** Name of a method without its prefix, or undefined for one of another wire. */
export function withoutPrefix(method: string): string | undefined {
  return method.startsWith(`${PREFIX}.`) ? method.slice(PREFIX.length + 1) : undefined;
}
