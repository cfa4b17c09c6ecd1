import { abortReason, type Clock, ConnectionError, type Dial, FACTORY_PROTOCOL_VERSION } from "@daemon-sdk/protocol";
import { SYSTEM_CLOCK } from "../../clock/index.js";
import { memoryTransport, type Recording, readRecording } from "../../transport/index.js";
import {
  FakeReceived,
  matchesText,
  type PromptMatcher,
  PromptRules,
  type PromptScript,
  type ReceivedNotification,
  type ReceivedPrompt,
  type ReceivedRequest,
  type ReceivedResponse,
  type TextMatcher,
  type TurnScript,
} from "../script/index.js";
import type { IncomingFrame } from "../wire/index.js";
import { AllConnections, type FakeConnection } from "./all-connections.js";
import type { FakeCatalogue, FakeMethod } from "./calls.js";
import { type CapabilityOptions, capabilitiesOf } from "./capabilities.js";
import { Dispatcher } from "./dispatcher.js";
import { type FaultSwitches, FaultyTransport } from "./faults/index.js";
import { FakeLink, type FakeLinkOwner, withoutPrefix } from "./link.js";
import { FakeSession, type FakeSessionOptions } from "./session.js";

/** Options of a {@link FakeDaemon}. By default it offers every extension and accepts any credential. */
export interface FakeDaemonOptions extends CapabilityOptions {
  /** The one accepted `token`, `apiKey` or `proof`. Default: any. */
  readonly credential?: string;
  /** Further accepted credentials. Each reaches only the sessions made with it. Default: none. */
  readonly keys?: readonly string[];
  /** Bytes of prompts that may wait in the sessions of one of `keys`. Default: any. */
  readonly queuedBytes?: number;
  /** `factoryProtocolVersion` of the daemon. Requests with another one are refused. Default: ours. */
  readonly protocolVersion?: string;
  /** Whether turns end with `agent_turn_completed`. Default: true if `turns` is offered; old daemons never send it. */
  readonly completesTurns?: boolean;
  /** Whether `add_user_message` is answered after the first notifications instead of before them. Default false. */
  readonly acknowledgesLate?: boolean;
  /** How many newest entries of each session a client may resume over; else RESUME_TOO_OLD. Default: all. */
  readonly keep?: number;
  /** Clock of delays and tickets, such as a `FakeClock`. Default: the computer's. */
  readonly clock?: Clock;
}

/**
 * A scripted daemon in memory, for tests of clients.
 *
 * Implements the session wire of docs/protocol.md with all of its extensions, or as a plain daemon (`plain: true`):
 * authentication, several connections, several sessions, queued prompts, pending requests, interrupts, positions, resume,
 * credit, receipts. It shares no code with the real daemon, acts only on calls, and starts no timer.
 *
 * ```ts
 * const daemon = new FakeDaemon();
 * daemon.whenPrompted(/greet/).thinks("Politely.").streams(["Hel", "lo"]);
 * const connection = await connectDaemon({ transport: daemon.dial, apiKey: "any" });
 * ```
 */
export class FakeDaemon {
  /** All valid requests in order, refused ones included. See `prompts()`, `calls(method)`, `expectCall(…)`. */
  readonly received = new FakeReceived();
  /** All responses in order, late ones included. */
  readonly responses: ReceivedResponse[] = [];
  /** All notifications in order. */
  readonly notifications: ReceivedNotification[] = [];
  /** Invalid frames. */
  readonly badFrames: string[] = [];
  /** All sessions by id. */
  readonly sessions: ReadonlyMap<string, FakeSession>;
  /** Faults of all connections. */
  readonly faults: FaultSwitches;
  readonly #sessions = new Map<string, FakeSession>();
  readonly #clock: Clock;
  readonly #links = new AllConnections();
  readonly #waiters = new Set<() => void>();
  readonly #owner: FakeLinkOwner;
  readonly #dispatcher: Dispatcher;
  readonly #catalogue: FakeCatalogue;
  readonly #rules: PromptRules;
  #recording: Recording | undefined;
  #isListening = true;
  #dials = 0;
  #epoch = 1;

  constructor(options: FakeDaemonOptions = {}) {
    this.sessions = this.#sessions;
    this.faults = this.#links;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#rules = new PromptRules(this.#clock);
    const protocolVersion = options.protocolVersion ?? FACTORY_PROTOCOL_VERSION;
    this.#catalogue = this.#makeCatalogue(options);
    this.#dispatcher = new Dispatcher({
      catalogue: this.#catalogue,
      protocolVersion,
      acknowledgesLate: options.acknowledgesLate === true,
    });
    this.#owner = {
      protocolVersion,
      onRequest: (link, request, units) => this.#request(link, request, units),
      onResponse: (link, response) => this.#response(link, response),
      onNotification: (link, { method, params }) => this.#notification(link, withoutPrefix(method) ?? method, params),
      onBadFrame: (_link, text) => this.badFrames.push(text),
      onEnd: (link) => this.#forget(link),
    };
  }

  /** Connects to this daemon. Pass it to the client as `transport`. The URL is ignored. */
  readonly dial: Dial = async ({ signal }) => {
    if (signal.aborted) throw abortReason(signal);
    this.#dials++;
    if (!this.#isListening) {
      throw new ConnectionError("CONNECTION_FAILED", "The fake daemon does not listen. Call start() first.");
    }
    const { near, far, cut } = memoryTransport();
    const wire = new FaultyTransport(near, cut, this.#clock);
    const link = new FakeLink(this.#dials, far, wire, this.#owner);
    this.#links.add(link);
    if (this.#recording !== undefined) this.#dispatcher.replay(link, this.#recording);
    return wire;
  };

  /** Number of dials, refused ones included. */
  get dials(): number {
    return this.#dials;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#links.size;
  }

  /** An open connection, with its faults: by its number (from 1, in the order of the dials), or the latest. */
  connection(number?: number): FakeConnection {
    return this.#links.connection(number);
  }

  /**
   * Starts the script for prompts that match: equal to the string, matched by the pattern, accepted by the function, or any.
   * If several scripts match a prompt, the latest is played.
   */
  whenPrompted(matcher?: PromptMatcher): TurnScript {
    return this.#rules.when(matcher);
  }

  /** Sets the script of later prompts that no {@link whenPrompted} matches. Default: the prompt is repeated. */
  onPrompt(script: PromptScript): void {
    this.#rules.other = script;
  }

  /**
   * Replaces a method of the daemon (name without prefix). `answer` returns a result, throws an `rpcFault`, or
   * returns `NO_REPLY` to send no response.
   */
  answer(method: string, answer: FakeMethod): void {
    this.#dispatcher.answer(method, answer);
  }

  /**
   * Plays a recorded connection to every client that connects from now on. A client receives the recorded frames in order,
   * each after it has sent the frames that the recorded client had sent before. Pings are answered at any time.
   *
   * @throws ProtocolError that names an invalid line
   */
  replays(recording: Recording): void {
    readRecording(recording);
    this.#recording = recording;
  }

  /** Adds a session that clients can load. */
  addSession(options?: FakeSessionOptions): FakeSession {
    const session = new FakeSession(this.#catalogue, options);
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Waits for request number `nth` (from 1) of a method. */
  async waitForRequest(method: string, nth = 1): Promise<ReceivedRequest> {
    return this.#waitFor(() => this.received.calls(method)[nth - 1]);
  }

  /** Waits for the first matching prompt. */
  waitForPrompt(matcher?: TextMatcher): Promise<ReceivedPrompt> {
    return this.#waitFor(() => this.received.prompts().find(({ text }) => matchesText(matcher, text)));
  }

  /** The first matching prompt; see {@link FakeReceived.expectPrompt}. */
  expectPrompt(matcher?: TextMatcher): ReceivedPrompt {
    return this.received.expectPrompt(matcher);
  }

  /** Sends a text unchanged to every connection. */
  sendRaw(text: string): void {
    this.#links.sendBadFrame(text);
  }

  /** Sends a notification of no session, such as `connection_status`; name without prefix. */
  notify(method: string, params: object): void {
    for (const link of this.#links) link.notify(method, params);
  }

  /** Breaks every connection, as a dead network does. Sessions and turns continue. */
  cut(): void {
    this.#links.drop();
  }

  /** Closes every connection politely. */
  closeConnections(code?: number, reason?: string): void {
    this.#links.close(code, reason);
  }

  /** Breaks every connection and refuses new ones until {@link start}. */
  stop(): void {
    this.#isListening = false;
    this.cut();
  }

  start(): void {
    this.#isListening = true;
  }

  /**
   * Simulates a kill and a new start: every connection breaks, positions get a new epoch, pending requests are closed, running
   * turns end as `daemon_restarted`, and queued turns begin. Conversations and journals are kept.
   */
  restart(): void {
    this.cut();
    this.#epoch++;
    this.#catalogue.tickets.clear();
    for (const session of this.#sessions.values()) {
      session.endTurn("daemon_restarted");
      session.closeRequests("daemon_restarted");
    }
    this.start();
  }

  #makeCatalogue(options: FakeDaemonOptions): FakeCatalogue {
    const capabilities = capabilitiesOf(options);
    const epoch = () => this.#epoch;
    return {
      capabilities,
      isPlain: Object.keys(capabilities).length === 0,
      credential: options.credential,
      keys: new Set(options.keys),
      queuedBytes: options.queuedBytes ?? Number.POSITIVE_INFINITY,
      completesTurns: options.completesTurns ?? capabilities.turns === true,
      clock: this.#clock,
      keep: options.keep ?? Number.POSITIVE_INFINITY,
      get epoch() {
        return epoch();
      },
      sessions: this.#sessions,
      tickets: new Map(),
      addSession: (given) => this.addSession(given),
      removeSession: (id) => this.#sessions.delete(id),
      play: (prompt) => this.#rules.play(prompt),
    };
  }

  #request(link: FakeLink, frame: Extract<IncomingFrame, { kind: "request" }>, units: number): void {
    const { id, params, protocolVersion } = frame;
    const method = withoutPrefix(frame.method) ?? frame.method;
    this.received.push({ link: link.number, id, method, params, protocolVersion });
    this.#wakeWaiters();
    this.#dispatcher.request(link, frame, units);
  }

  #response(link: FakeLink, frame: Extract<IncomingFrame, { kind: "response" }>): void {
    const { id, result, error } = frame;
    const accepted = this.#dispatcher.response(link, frame);
    const body = error === undefined ? { result } : { error };
    this.responses.push({ link: link.number, id, ...body, accepted });
    this.#wakeWaiters();
  }

  #notification(link: FakeLink, method: string, params: Record<string, unknown>): void {
    this.notifications.push({ link: link.number, method, params });
    this.#dispatcher.notification(link, method, params);
    this.#wakeWaiters();
  }

  #forget(link: FakeLink): void {
    this.#links.delete(link);
    for (const session of this.#sessions.values()) session.detach(link);
  }

  async #waitFor<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  #wakeWaiters(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
