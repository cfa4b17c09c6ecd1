import { RpcCode } from "@daemon-sdk/protocol";
import type { Recording } from "../../transport/index.js";
import { checkSize, checkTexts, errorOf, type IncomingFrame, isWholeNumbers, rpcFault } from "../wire/index.js";
import { type FakeCatalogue, type FakeMethod, sessionsFor } from "./calls.js";
import { CAPABILITY_OF_METHOD } from "./capabilities.js";
import { type FakeLink, withoutPrefix } from "./link.js";
import { CATALOGUE_METHODS, CONNECTION_METHODS, INBOX_METHODS, SESSION_METHODS } from "./methods/index.js";
import { notRecorded, Replay } from "./replay.js";

/** Result of a `FakeDaemon.answer` method that sends no response. */
export const NO_REPLY: unique symbol = Symbol("daemon-sdk.fake-no-reply");

/** Options of a {@link Dispatcher}. */
export interface DispatcherOptions {
  readonly catalogue: FakeCatalogue;
  readonly protocolVersion: string;
  /** Whether prompts are acknowledged after the first notifications. */
  readonly acknowledgesLate: boolean;
}

const ALL_METHODS: ReadonlyMap<string, FakeMethod> = new Map([
  ...CONNECTION_METHODS,
  ...SESSION_METHODS,
  ...INBOX_METHODS,
  ...CATALOGUE_METHODS,
]);

/** Finds the method of each request, runs it, and sends its response. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #answers = new Map<string, FakeMethod>();
  readonly #replays = new WeakMap<FakeLink, Replay>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Replaces a method of the daemon. */
  answer(method: string, answer: FakeMethod): void {
    this.#answers.set(method, answer);
  }

  /** Plays a recording on a connection instead of handling its frames. */
  replay(link: FakeLink, recording: Recording): void {
    const replay = new Replay(recording);
    this.#replays.set(link, replay);
    replay.start(link);
  }

  /** @param units length of the request's text */
  request(link: FakeLink, frame: Extract<IncomingFrame, { kind: "request" }>, units: number): void {
    const name = withoutPrefix(frame.method);
    const replay = this.#replays.get(link);
    if (replay) {
      if (replay.take(link, frame)) return;
      if (name === "ping") link.reply(frame.id, {});
      else link.fail(frame.id, notRecorded(name ?? frame.method, replay.left));
      return;
    }
    try {
      const method = this.#methodFor(link, name, frame.protocolVersion);
      // An original daemon has no such bounds.
      if (!this.#options.catalogue.isPlain) {
        checkSize(name, frame.params, units);
        checkTexts(frame.params);
      }
      this.#run(link, frame, method);
    } catch (fault) {
      link.fail(frame.id, errorOf(fault));
    }
  }

  notification(link: FakeLink, method: string | undefined, params: Record<string, unknown>): void {
    if (method !== "grant_credit" || !this.#options.catalogue.capabilities.credit) return;
    const session = this.#options.catalogue.sessions.get(String(params.sessionId));
    if (link.isAuthenticated && isWholeNumbers(params, "events", "bytes")) session?.attached.get(link)?.grant(params);
  }

  /** Handles a client's answer to a request of the agent. True when the answer was accepted. */
  response(link: FakeLink, frame: Extract<IncomingFrame, { kind: "response" }>): boolean {
    const { id, result, error } = frame;
    const { catalogue } = this.#options;
    const replay = this.#replays.get(link);
    if (replay) return replay.take(link, frame);
    if (id === null || !link.isAuthenticated) return false;
    const session = sessionsFor({ daemon: catalogue, link }).find(({ inbox }) => inbox.has(id));
    if (!session) return false;
    if (error === undefined && session.inbox.answer(id, result, link.principal)) return true;
    // An error response counts as a refusal, unless another connection can still answer.
    if (catalogue.capabilities.inbox && !session.isOnlyAsked(link, id)) return false;
    session.inbox.cancel(id, "invalid_answer");
    return true;
  }

  /** Runs a method synchronously if the method is synchronous: no entry can occur between a snapshot and its response. */
  #run(link: FakeLink, frame: Extract<IncomingFrame, { kind: "request" }>, method: FakeMethod): void {
    const { id, params } = frame;
    const actions: (() => void)[] = [];
    const afterReply = (action: () => void) => void actions.push(action);
    const finish = (result: unknown): void => {
      const isLate = this.#options.acknowledgesLate && withoutPrefix(frame.method) === "add_user_message";
      if (isLate) for (const action of actions.splice(0)) action();
      if (result !== NO_REPLY) link.reply(id, result);
      for (const action of actions) action();
    };
    const refuse = (fault: unknown): void => {
      link.fail(id, errorOf(fault));
      for (const action of actions) action();
    };
    try {
      const result = method({ daemon: this.#options.catalogue, link, id, params, afterReply });
      if (result instanceof Promise) void result.then(finish, refuse);
      else finish(result);
    } catch (fault) {
      refuse(fault);
    }
  }

  #methodFor(link: FakeLink, name: string | undefined, version: string | undefined): FakeMethod {
    const { protocolVersion, catalogue } = this.#options;
    if (version !== undefined && version !== protocolVersion) {
      const mismatch = { localFactoryProtocolVersion: protocolVersion, peerFactoryProtocolVersion: version };
      throw rpcFault(RpcCode.methodNotFound, "Protocol version mismatch", { protocolVersionMismatch: mismatch });
    }
    if (!link.isAuthenticated && name !== "authenticate") {
      // An original daemon answers "method not found" before authentication (docs/wire/session.md#errors), ours the reason
      // (docs/protocol.md §3).
      if (!catalogue.isPlain) throw rpcFault(RpcCode.authentication, "Not authenticated");
      throw rpcFault(RpcCode.methodNotFound, "Method not found");
    }
    const capability = CAPABILITY_OF_METHOD.get(name ?? "");
    const isOffered = capability === undefined || catalogue.capabilities[capability] !== undefined;
    const method = this.#answers.get(name ?? "") ?? (isOffered ? ALL_METHODS.get(name ?? "") : undefined);
    if (!method) throw rpcFault(RpcCode.methodNotFound, "Method not found");
    return method;
  }
}
