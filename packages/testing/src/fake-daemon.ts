import {
  abortReason,
  ConnectionError,
  type DaemonCapabilities,
  type Dial,
  FACTORY_PROTOCOL_VERSION,
  RpcCode,
  type RpcError,
} from "@daemon-sdk/protocol";
import { errorOf, type FakeCatalogue, type FakeMethod } from "./fake/calls.js";
import { CATALOGUE_METHODS } from "./fake/catalogue-methods.js";
import { CONNECTION_METHODS } from "./fake/connection-methods.js";
import type { IncomingFrame } from "./fake/frames.js";
import { FakeLink, type FakeLinkOwner, withoutPrefix } from "./fake/link.js";
import type { FakePrompt } from "./fake/prompt.js";
import { FakeSession, type FakeSessionOptions } from "./fake/session.js";
import { SESSION_METHODS } from "./fake/session-methods.js";
import { memoryTransport } from "./memory-transport.js";

/** How a {@link FakeDaemon} behaves. Without options it is a plain daemon that takes any credential. */
export interface FakeDaemonOptions {
  /** What `authenticate` offers, and what the daemon then does. Default: nothing, as a plain `droid daemon`. */
  readonly capabilities?: DaemonCapabilities;
  /** The one `token`, `apiKey` or `proof` that is accepted. Default: any. */
  readonly credential?: string;
  /** `factoryProtocolVersion` it states; requests with another one are refused. Default: ours. */
  readonly protocolVersion?: string;
  /** Whether turns end with `agent_turn_completed`. Default: when `capabilities.turns` is offered; old daemons never do. */
  readonly completesTurns?: boolean;
  /** Whether the answer to `add_user_message` follows the first notifications instead of leading them. Default false. */
  readonly acknowledgesLate?: boolean;
}

/** A request as a client sent it. */
export interface ReceivedRequest {
  /** Number of the connection it came on, from 1. */
  readonly link: number;
  readonly id: string;
  /** Without prefix. */
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly protocolVersion: string | undefined;
}

/** A response as a client sent it. */
export interface ReceivedResponse {
  readonly link: number;
  readonly id: string | null;
  readonly result?: unknown;
  readonly error?: RpcError;
  /** False when nothing waited for it: unknown, or answered before. */
  readonly accepted: boolean;
}

/** Returned by a method of {@link FakeDaemon.answer} to leave the request without a response. */
export const NO_REPLY: unique symbol = Symbol("daemon-sdk.fake-no-reply");

/** Plays one turn; when it returns, the turn ends as `completed`. */
export type PromptScript = (prompt: FakePrompt) => void | Promise<void>;

const defaultScript: PromptScript = (prompt) => {
  for (const word of ["You ", "said: ", prompt.text]) prompt.delta(word);
  prompt.message();
};

/**
 * A scripted daemon in memory, for tests of clients.
 *
 * Speaks the session wire as a real one does (session spec Appendix A): authentication first, several connections,
 * several sessions, queued prompts, pending requests, interrupts. It shares no code with the real daemon, does nothing
 * on its own, and starts no timer. What clients sent is in {@link received} and {@link responses}.
 *
 * ```ts
 * const daemon = new FakeDaemon();
 * daemon.onPrompt((prompt) => {
 *   prompt.delta("Hel");
 *   prompt.delta("lo");
 *   prompt.message();
 * });
 * const connection = await connectDaemon({ transport: daemon.dial, apiKey: "any" });
 * ```
 */
export class FakeDaemon {
  /** Every request that could be read, in order; also refused ones. */
  readonly received: ReceivedRequest[] = [];
  /** Every response, in order; also late ones. */
  readonly responses: ReceivedResponse[] = [];
  /** Frames that are none. */
  readonly badFrames: string[] = [];
  /** All sessions by id. */
  readonly sessions: ReadonlyMap<string, FakeSession>;
  readonly #sessions = new Map<string, FakeSession>();
  readonly #options: FakeDaemonOptions;
  readonly #links = new Map<FakeLink, () => void>();
  readonly #answers = new Map<string, FakeMethod>();
  readonly #waiters = new Set<() => void>();
  readonly #owner: FakeLinkOwner;
  readonly #catalogue: FakeCatalogue;
  #script: PromptScript = defaultScript;
  #isListening = true;
  #dials = 0;

  constructor(options: FakeDaemonOptions = {}) {
    this.#options = options;
    this.sessions = this.#sessions;
    this.#owner = {
      protocolVersion: options.protocolVersion ?? FACTORY_PROTOCOL_VERSION,
      onRequest: (link, request) => this.#request(link, request),
      onResponse: (link, response) => this.#response(link, response),
      onBadFrame: (_link, text) => this.badFrames.push(text),
      onEnd: (link) => this.#forget(link),
    };
    this.#catalogue = {
      capabilities: options.capabilities ?? {},
      credential: options.credential,
      completesTurns: options.completesTurns ?? options.capabilities?.turns === true,
      sessions: this.#sessions,
      addSession: (given) => this.addSession(given),
      play: (prompt) => this.#script(prompt),
    };
  }

  /** Connects to this daemon; give it to the client as its `transport`. The URL is not looked at. */
  readonly dial: Dial = async ({ signal }) => {
    if (signal.aborted) throw abortReason(signal);
    this.#dials++;
    if (!this.#isListening) {
      throw new ConnectionError("CONNECTION_FAILED", "The fake daemon does not listen. Call start() first.");
    }
    const { near, far, cut } = memoryTransport();
    this.#links.set(new FakeLink(this.#dials, far, this.#owner), cut);
    return near;
  };

  /** How often a client dialed, in vain or not. */
  get dials(): number {
    return this.#dials;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Sets the script of all later turns. Default: it says back what was said. */
  onPrompt(script: PromptScript): void {
    this.#script = script;
  }

  /**
   * Answers a method (name without prefix) in place of the daemon's own: with a result, by throwing an `rpcFault`, or
   * not at all by returning {@link NO_REPLY}.
   */
  answer(method: string, answer: FakeMethod): void {
    this.#answers.set(method, answer);
  }

  /** Adds a session that clients can load. */
  addSession(options?: FakeSessionOptions): FakeSession {
    const session = new FakeSession(this.#catalogue, options);
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The request number `nth` (from 1) of a method, as soon as it has come. */
  async waitForRequest(method: string, nth = 1): Promise<ReceivedRequest> {
    for (;;) {
      const found = this.received.filter((request) => request.method === method)[nth - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  /** Sends a text as it stands to every connection. */
  sendRaw(text: string): void {
    for (const link of this.#links.keys()) link.sendRaw(text);
  }

  /** Sends a notification that is about no session, such as `connection_status`; name without prefix. */
  notify(method: string, params: object): void {
    for (const link of this.#links.keys()) link.notify(method, params);
  }

  /** Breaks every connection, as a dead network does. Sessions and turns go on. */
  cut(): void {
    for (const cut of [...this.#links.values()]) cut();
  }

  /** Closes every connection politely. */
  closeConnections(code?: number, reason?: string): void {
    for (const link of this.#links.keys()) link.close(code, reason);
  }

  /** Breaks every connection and refuses new ones until {@link start}. */
  stop(): void {
    this.#isListening = false;
    this.cut();
  }

  start(): void {
    this.#isListening = true;
  }

  #request(link: FakeLink, frame: Extract<IncomingFrame, { kind: "request" }>): void {
    const { id, params, protocolVersion } = frame;
    const method = withoutPrefix(frame.method);
    this.received.push({ link: link.number, id, method: method ?? frame.method, params, protocolVersion });
    this.#wakeWaiters();
    const answer = this.#methodFor(link, method, protocolVersion);
    if (answer) void this.#run(link, id, params, answer);
    else link.fail(id, { code: RpcCode.methodNotFound, message: "Method not found" });
  }

  async #run(link: FakeLink, id: string, params: Record<string, unknown>, answer: FakeMethod): Promise<void> {
    const actions: (() => void)[] = [];
    const afterReply = (action: () => void) => void actions.push(action);
    try {
      const result = await answer({ daemon: this.#catalogue, link, id, params, afterReply });
      if (this.#options.acknowledgesLate) for (const action of actions.splice(0)) action();
      if (result !== NO_REPLY) link.reply(id, result);
      for (const action of actions) action();
    } catch (fault) {
      link.fail(id, errorOf(fault));
    }
  }

  #methodFor(link: FakeLink, name: string | undefined, version: string | undefined): FakeMethod | undefined {
    if (name === undefined || (version !== undefined && version !== this.#owner.protocolVersion)) return undefined;
    // Before authentication a real daemon knows no other method (session spec §1.5).
    if (!link.isAuthenticated && name !== "authenticate") return undefined;
    const own = this.#answers.get(name) ?? CONNECTION_METHODS.get(name);
    return own ?? SESSION_METHODS.get(name) ?? CATALOGUE_METHODS.get(name);
  }

  #response(link: FakeLink, { id, result, error }: Extract<IncomingFrame, { kind: "response" }>): void {
    const accepted =
      id !== null && link.isAuthenticated && [...this.#sessions.values()].some((one) => one.inbox.answer(id, result));
    const body = error === undefined ? { result } : { error };
    this.responses.push({ link: link.number, id, ...body, accepted });
    this.#wakeWaiters();
  }

  #forget(link: FakeLink): void {
    this.#links.delete(link);
    for (const session of this.#sessions.values()) session.followers.delete(link);
  }

  #wakeWaiters(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
