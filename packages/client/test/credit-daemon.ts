import type { Credit, DaemonCapabilities, Dial, SessionNotification, Transport } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { type ConnectDaemonOptions, connectDaemon, type DaemonConnection } from "../src/index.js";
import { OUR_CAPABILITIES } from "./support.js";

type Json = Record<string, unknown>;

interface Entry {
  readonly frame: Json;
  readonly isFree: boolean;
  wasEarly: boolean;
}

const FREE = ["permission_resolved", "ask_user_resolved", "agent_turn_completed", "session_closed"];
const ENVELOPE = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };
const NOTHING: Credit = { events: 0, bytes: 0 };

/** A session of a {@link CreditDaemon}: a journal, and the one cursor of the one connection. */
export class CreditSession {
  readonly entries: Entry[] = [];
  /** Of the connection: what it may still be sent. */
  credit: Credit = NOTHING;
  /** Everything it was given since it last followed. */
  readonly grants: Credit[] = [];
  isBusy = false;
  #cursor = 0;
  #isForgotten = false;
  readonly #send: (frame: Json) => void;

  constructor(
    readonly id: string,
    send: (frame: Json) => void,
  ) {
    this.#send = send;
  }

  /** Entries that the connection was not sent in their place. */
  get heldBack(): number {
    return this.entries.length - this.#cursor;
  }

  tell(notification: SessionNotification): void {
    const params = { sessionId: this.id, notification };
    const frame = { ...ENVELOPE, type: "notification", method: "daemon.session_notification", params };
    this.#append(frame, FREE.includes(notification.type));
  }

  delta(textDelta: string): void {
    this.tell({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
  }

  end(turnId: string, reason = "completed"): void {
    this.isBusy = false;
    this.tell({ type: "agent_turn_completed", turnId, reason });
    this.tell({ type: "droid_working_state_changed", newState: "idle" });
  }

  ask(requestId: string, permission: object): void {
    const params = { sessionId: this.id, options: [{ label: "Yes", value: "proceed_once" }], ...permission };
    this.#append({ ...ENVELOPE, type: "request", id: requestId, method: "daemon.request_permission", params }, true);
  }

  /** The journal no longer has what the connection was not sent: it hears so when it wants more. */
  forget(): void {
    this.#isForgotten = true;
  }

  start(credit: Credit, from = this.entries.length): void {
    this.#isForgotten = false;
    this.#cursor = from;
    this.credit = { ...credit };
    this.grants.length = 0;
    this.pump();
  }

  grant({ events, bytes }: Credit): void {
    this.grants.push({ events, bytes });
    if (this.#isForgotten) {
      this.#unsubscribe();
      return;
    }
    this.credit = { events: this.credit.events + events, bytes: this.credit.bytes + bytes };
    this.pump();
  }

  pump(): void {
    for (let entry = this.entries[this.#cursor]; entry !== undefined; entry = this.entries[this.#cursor]) {
      if (!entry.isFree) {
        if (this.credit.events <= 0 || this.credit.bytes <= 0) break;
        const bytes = Buffer.byteLength(JSON.stringify(entry.frame));
        this.credit = { events: this.credit.events - 1, bytes: this.credit.bytes - bytes };
      }
      this.#cursor += 1;
      this.#send(entry.frame);
    }
    for (const entry of this.entries.slice(this.#cursor)) {
      if (!entry.isFree || entry.wasEarly) continue;
      entry.wasEarly = true;
      this.#send({ ...entry.frame, _meta: { ...(entry.frame._meta as Json), early: true } });
    }
  }

  #unsubscribe(): void {
    if (this.credit === NOTHING) return;
    this.credit = NOTHING;
    const notification = { type: "session_unsubscribed", message: "too old", code: "RESUME_TOO_OLD" };
    const params = { sessionId: this.id, notification };
    this.#send({ ...ENVELOPE, type: "notification", method: "daemon.session_notification", params });
  }

  #append(frame: Json, isFree: boolean): void {
    const _meta = { epoch: 1, seq: this.entries.length + 1 };
    this.entries.push({ frame: { ...frame, _meta }, isFree, wasEarly: false });
    this.pump();
  }
}

/** A daemon in memory that knows flow control and little else: one connection, sessions that tests tell what to say. */
export class CreditDaemon {
  /** Requests and notifications of the client, in order, without their prefix. */
  readonly received: { method: string; params: Json }[] = [];
  readonly responses: { id: string; result: unknown }[] = [];
  readonly sessions: CreditSession[] = [];
  onPrompt: (session: CreditSession, messageId: string) => void = () => {};
  /** Answers methods that this daemon does not know; what it throws becomes an error with that object. */
  answer: (method: string, params: Json) => unknown = () => ({});
  #transport: Transport | undefined;
  #waiters: { method: string; resolve: () => void }[] = [];
  readonly #capabilities: DaemonCapabilities;

  constructor(
    capabilities: DaemonCapabilities = { ...OUR_CAPABILITIES, credit: true, receipts: true, requests: true },
  ) {
    this.#capabilities = capabilities;
  }

  readonly dial: Dial = async () => {
    const { near, far } = memoryTransport();
    this.#transport = far;
    far.onMessage = (text) => this.#take(JSON.parse(text) as Json);
    return near;
  };

  connect(options: ConnectDaemonOptions = {}): Promise<DaemonConnection> {
    return connectDaemon({ transport: this.dial, apiKey: "fk-test", ...options });
  }

  /** The only session there is. */
  get session(): CreditSession {
    const [session] = this.sessions;
    if (session === undefined) throw new TypeError("No session was made");
    return session;
  }

  count(method: string): number {
    return this.received.filter((one) => one.method === method).length;
  }

  /** Resolves when the client has sent that method (again). */
  next(method: string): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ method, resolve }));
  }

  #take({ type, id, method, params, result }: Json): void {
    if (type === "response") {
      this.responses.push({ id: id as string, result });
      return;
    }
    const name = (method as string).slice("daemon.".length);
    this.received.push({ method: name, params: params as Json });
    if (type === "request") this.#reply(id as string, name, params as Json);
    else if (name === "grant_credit") this.#find(params as Json).grant(params as unknown as Credit);
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.method !== name);
    for (const waiter of waiters) if (waiter.method === name) waiter.resolve();
  }

  #reply(id: string, method: string, params: Json): void {
    const send = (body: Json): void =>
      void this.#transport?.send(JSON.stringify({ ...ENVELOPE, type: "response", id, ...body }));
    try {
      const { result, after } = this.#act(method, params);
      send({ result });
      after?.();
    } catch (error) {
      send({ error });
    }
  }

  #act(method: string, params: Json): { result: unknown; after?: () => void } {
    switch (method) {
      case "authenticate":
        return { result: { userId: "u", orgId: "o", capabilities: this.#capabilities } };
      case "initialize_session": {
        const session = new CreditSession(`s-${this.sessions.length + 1}`, (frame) =>
          this.#transport?.send(JSON.stringify(frame)),
        );
        this.sessions.push(session);
        session.start((params.credit as Credit | undefined) ?? { events: Infinity, bytes: Infinity });
        const position = { epoch: 1, seq: 0 };
        const settings = { modelId: "m", reasoningEffort: "none" };
        return { result: { sessionId: session.id, session: { messages: [] }, settings, position } };
      }
      case "follow_session": {
        const session = this.#find(params);
        const state = { isAgentLoopInProgress: session.isBusy, workingState: session.isBusy ? "thinking" : "idle" };
        const result = { position: { epoch: 1, seq: session.entries.length }, ...state };
        return { result, after: () => session.start(params.credit as Credit) };
      }
      case "add_user_message": {
        const session = this.#find(params);
        session.isBusy = true;
        return { result: {}, after: () => this.onPrompt(session, params.messageId as string) };
      }
      default:
        return { result: this.answer(method, params) };
    }
  }

  #find({ sessionId }: Json): CreditSession {
    const session = this.sessions.find(({ id }) => id === sessionId);
    if (session === undefined) throw { code: -32004, message: "Session not found" };
    return session;
  }
}
