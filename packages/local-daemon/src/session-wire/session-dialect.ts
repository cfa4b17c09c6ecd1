import { platform } from "node:os";
import {
  type AuthenticateParams,
  CloseCode,
  ConnectionError,
  decodeFrame,
  encodeFailure,
  encodeNotification,
  encodeResult,
  FACTORY_PROTOCOL_VERSION,
  LIMITS,
  type Logger,
  METHODS,
  type NotificationEnvelope,
  ProtocolError,
  type RequestEnvelope,
  type ResponseEnvelope,
  RpcCode,
  type RpcError,
  sessionId,
} from "@daemon-sdk/protocol";
import { grantCreditParamsSchema, METHOD_SCHEMAS } from "@daemon-sdk/protocol/schema";
import * as z from "zod/mini";
import type { Credentials, Principal } from "../access/index.js";
import { briefText, type Connection, type Dialect, type LargeInbound, type LoopShare } from "../connection/index.js";
import { homeDirectory } from "../home-directory.js";
import { SERVING_LIMITS } from "../limits/index.js";
import type { DaemonMetrics } from "../metrics/index.js";
import type { LargePrompt } from "../turns/index.js";
import { AttachedClient } from "./attached-client.js";
import { type CallServices, Calls, issueText } from "./calls.js";
import { capabilitiesWith } from "./capabilities.js";
import { LargeCall, type LargeOutcome } from "./large-call.js";
import type { LargeTurn } from "./large-turns.js";
import { reaches } from "./reachable-sessions.js";
import { toRpcError } from "./rpc-error.js";
import type { SharedTurns } from "./shared-turns.js";
import { validAnswer } from "./valid-answer.js";

const PREFIX = "daemon.";
const GRANT_CREDIT = `${PREFIX}grant_credit`;

/** What the connections of one daemon share. */
export interface DialectServices extends CallServices {
  readonly credentials: Credentials;
  readonly turns: SharedTurns;
  readonly metrics: DaemonMetrics;
  readonly logger: Logger;
}

/** What is known of the link of one connection. */
export interface DialectLink {
  /** Whose connection it is, when whoever accepted the link knows that: counted as a connection of that principal already. */
  readonly principal?: Principal | undefined;
  /** Checks a proof against the upgrade of this very connection. */
  verifyProof(proof: string): boolean;
  /** Called once the credential was accepted, with the share of the loop that its principal's messages count to. */
  onAuthenticated?(share: LoopShare): void;
}

/**
 * The session protocol on one connection: first a credential, then requests, each answered once with its own id.
 *
 * Of all that a client sends only a third refused credential ends the connection: bad frames are counted, logged, and answered
 * where they can be (docs/wire/session.md#errors; docs/protocol.md, "Errors").
 */
export class SessionDialect implements Dialect {
  readonly name = "session";
  /** Frames that were not acted on; for logs and tests. */
  readonly counters = { badFrames: 0, strayNotifications: 0, unknownMethods: 0 };
  readonly #connection: Connection;
  readonly #services: DialectServices;
  readonly #link: DialectLink;
  #client: AttachedClient | undefined;
  #calls: Calls | undefined;
  #largeTurns: Set<LargeTurn> | undefined;
  #refusals = 0;
  /** When the credential was accepted; undefined until then. */
  #welcomeAt: number | undefined;
  #isLoggedOut = false;

  constructor(connection: Connection, services: DialectServices, link: DialectLink) {
    this.#connection = connection;
    this.#services = services;
    this.#link = link;
  }

  onOpen(): void {
    const { principal } = this.#link;
    if (principal === undefined) return;
    this.#enter(principal, true);
    this.#accept(this.#connection.peerName, principal);
  }

  onMessage(text: string): void {
    void this.#onText(text);
  }

  /** Large messages of one principal have turns, so that they take bounded memory. */
  beginLarge(setPaused: (isPaused: boolean) => void): LargeInbound {
    const call = new LargeCall(this.#client !== undefined);
    const turn = this.#client && this.#services.turns.large.take(this.#client.principal.keyId, setPaused);
    if (turn !== undefined) {
      this.#largeTurns ??= new Set();
      this.#largeTurns.add(turn);
    }
    const done = () => {
      if (turn !== undefined && this.#largeTurns?.delete(turn)) turn.end();
    };
    return {
      get length() {
        return call.length;
      },
      push: (part) => call.push(part),
      handle: () => {
        const answered = this.#onLarge(call);
        // Never rejects: errors were answered.
        if (answered === undefined) done();
        else void answered.then(done);
      },
    };
  }

  /** As {@link #onText}. */
  #onLarge(call: LargeCall): Promise<void> | undefined {
    const outcome = call.end();
    const units = call.length;
    switch (outcome.kind) {
      case "text":
        return this.#onText(outcome.text);
      case "prompt":
        return this.#onRequest(outcome.request, units, outcome.large);
      case "tooLarge":
        this.#onTooLarge(outcome, units);
        return undefined;
    }
  }

  /** It has cost no more than its outline; it is answered where it can be. */
  #onTooLarge({ envelope, head, why }: Extract<LargeOutcome, { kind: "tooLarge" }>, units: number): void {
    const error = new ProtocolError("MESSAGE_TOO_LARGE", why);
    if (envelope?.type === "notification") this.#stray(envelope);
    else if (envelope?.type === "request" && !isTooLong(envelope.id) && this.#calls !== undefined) {
      this.#calls.refuse({ request: envelope, name: nameOf(envelope.method), units }, error);
    } else if (envelope?.type === "request" && isAuthentication(envelope) && !isTooLong(envelope.id)) {
      // Its credential was cut, so it is compared with none.
      this.#refuse(envelope.id, { code: RpcCode.invalidParams, message: why });
    } else if (envelope?.type === "request") void this.#onRequest(envelope, units);
    else {
      this.counters.badFrames++;
      const id = typeof head.id === "string" && !isTooLong(head.id) ? head.id : null;
      if (head.type !== "response" && head.type !== "notification") this.#fail(id, toRpcError(error));
    }
  }

  /** Of a request that is answered later: resolves when it was answered. */
  #onText(text: string): Promise<void> | undefined {
    const decoded = decodeFrame(text);
    if (!decoded.ok) {
      this.#badFrame(decoded);
      return undefined;
    }
    const { envelope } = decoded;
    switch (envelope.type) {
      case "request":
        return this.#onRequest(envelope, text.length);
      case "response":
        if (this.#client === undefined || isTooLong(envelope.id)) this.counters.badFrames++;
        else this.#answer(envelope, this.#client);
        break;
      case "notification":
        if (!this.#grant(envelope)) this.#stray(envelope);
        break;
    }
    return undefined;
  }

  onClose(): void {
    for (const turn of this.#largeTurns ?? []) turn.end();
    this.#largeTurns = undefined;
    this.#client?.detachAll();
    this.#calls?.end();
    if (this.#client !== undefined)
      this.#services.turns.connections.remove(this.#client.principal.keyId, this.#connection);
    if (this.#welcomeAt !== undefined) {
      const durationMs = Math.round(performance.now() - this.#welcomeAt);
      this.#services.logger.info({ ...this.#who(), durationMs }, "a client left");
    }
    const { badFrames, strayNotifications, unknownMethods } = this.counters;
    if (badFrames + strayNotifications + unknownMethods === 0) return;
    this.#services.logger.info({ ...this.#who(), ...this.counters }, "a client sent frames that were not acted on");
  }

  /** The one notification that a client sends. False when it is another, or names nothing that this client follows. */
  #grant({ method, params }: NotificationEnvelope): boolean {
    if (method !== GRANT_CREDIT || this.#client === undefined) return false;
    const parsed = z.safeParse(grantCreditParamsSchema, params);
    return parsed.success && this.#client.grant(sessionId(parsed.data.sessionId), parsed.data);
  }

  #stray({ method }: NotificationEnvelope): void {
    this.counters.strayNotifications++;
    this.#services.logger.debug({ ...this.#who(), method: briefText(method) }, "a client's notification was ignored");
  }

  #onRequest(request: RequestEnvelope, units: number, large?: LargePrompt): Promise<void> | undefined {
    const { id, method, params } = request;
    const name = nameOf(method);
    if (isTooLong(id)) this.#refuseId(id);
    else if (name === METHODS.authenticate.name) this.#authenticate(id, params);
    else if (this.#client === undefined || this.#calls === undefined || this.#isLoggedOut)
      this.#fail(id, { code: RpcCode.authentication, message: NOT_AUTHENTICATED });
    else if (name === METHODS.logout.name) return this.#logout(id, params, this.#client, this.#calls);
    else return this.#calls.answer({ request, name, units, large });
    return undefined;
  }

  /** An id is in the answer and in the log: a long one is in neither. */
  #refuseId(id: string): void {
    this.counters.badFrames++;
    const message = `The id of a request has ${id.length} characters, ${LIMITS.idChars} are the limit (idChars).`;
    this.#fail(null, { code: RpcCode.invalidRequest, message });
  }

  #authenticate(id: string, params: Record<string, unknown>): void {
    const parsed = z.safeParse(METHOD_SCHEMAS.authenticate.params, params);
    if (!parsed.success) {
      this.#refuse(id, { code: RpcCode.invalidParams, message: issueText("authenticate", parsed.error) });
      return;
    }
    const link = this.#link;
    const { credentials } = this.#services;
    const principal = link.principal ?? credentials.identify(parsed.data, (proof) => link.verifyProof(proof));
    if (principal === undefined) {
      this.#refuse(id, { code: RpcCode.authentication, message: REFUSED });
      return;
    }
    if (this.#client === undefined && !this.#admit(id, parsed.data, principal)) return;
    const { rules, services } = this.#services.host;
    const { instanceId } = services;
    const offered = capabilitiesWith(rules.agentsOf(principal));
    const result = { userId: "local", orgId: "local", capabilities: offered, instanceId };
    this.#send(encodeResult(id, result, FACTORY_PROTOCOL_VERSION));
    if (this.#welcomeAt === undefined) this.#welcome(parsed.data, principal);
  }

  /** False, and answered, when the principal has as many connections as it may have. */
  #admit(id: string, { proof, ticket }: AuthenticateParams, principal: Principal): boolean {
    try {
      this.#services.turns.connections.add(principal.keyId, this.#connection);
    } catch (error) {
      this.#fail(id, toRpcError(error));
      return false;
    }
    this.#enter(principal, proof === undefined && ticket === undefined);
    return true;
  }

  #enter(principal: Principal, isPlain: boolean): void {
    this.#client = new AttachedClient(this.#connection, isPlain, principal);
    this.#calls = this.#callsOf(this.#client);
  }

  #welcome({ caller }: AuthenticateParams, principal: Principal): void {
    this.#welcomeAt = performance.now();
    this.#link.onAuthenticated?.(this.#accept(caller.slice(0, SERVING_LIMITS.peerNameChars), principal));
    // The line is written to the file at once, and the client waits for what is sent in this tick.
    setImmediate(() => this.#services.logger.info(this.#who(), "a client connected"));
    const status = { isDroidCLIInPath: false, homedir: homeDirectory() ?? "", platform: platform() };
    this.#send(encodeNotification("daemon.connection_status", status, FACTORY_PROTOCOL_VERSION));
  }

  #accept(peerName: string, { keyId }: Principal): LoopShare {
    const { shares, connections } = this.#services.turns;
    const share = shares.of(keyId);
    this.#connection.accept(peerName, { share, unread: connections.unreadOf(keyId) });
    return share;
  }

  /** The same answer whatever was wrong with the credential, and an end to guessing. */
  #refuse(id: string, error: RpcError): void {
    this.#fail(id, error);
    this.#refusals++;
    this.#services.metrics.credentialsRefused.add();
    this.#services.logger.warn({ ...this.#who(), refusals: this.#refusals }, "a credential was refused");
    if (this.#refusals < LIMITS.authenticateAttempts) return;
    this.#connection.fail(
      new ConnectionError("AUTH_REJECTED", "Too many refused credentials."),
      CloseCode.unauthenticated,
    );
  }

  /**
   * Closes the connection: a client is logged in by its connection alone. Earlier requests are answered first.
   */
  async #logout(id: string, params: Record<string, unknown>, client: AttachedClient, calls: Calls): Promise<void> {
    const parsed = z.safeParse(METHOD_SCHEMAS.logout.params, params);
    if (!parsed.success) {
      this.#fail(id, { code: RpcCode.invalidParams, message: issueText("logout", parsed.error) });
      return;
    }
    this.#isLoggedOut = true;
    await calls.settled();
    this.#send(encodeResult(id, { accepted: true }, FACTORY_PROTOCOL_VERSION));
    client.close();
  }

  #answer(envelope: ResponseEnvelope, client: AttachedClient): void {
    const { rules, services } = this.#services.host;
    services.inbox.answer(envelope, client, {
      reaches: (id) => reaches(client, this.#services.host.find(id)?.row ?? { owner: undefined }),
      check: validAnswer,
      allows: ({ owner }, answer) => rules.answerRefusal(client.principal, owner, answer) === undefined,
    });
  }

  #callsOf(client: AttachedClient): Calls {
    return new Calls({
      services: this.#services,
      client,
      counters: this.counters,
      send: (frame) => this.#send(frame),
      who: () => this.#who(),
    });
  }

  #badFrame(fault: Extract<ReturnType<typeof decodeFrame>, { ok: false }>): void {
    const { rpcCode, message, type } = fault;
    const id = isTooLong(fault.id) ? null : fault.id;
    this.counters.badFrames++;
    const fields = { fault: fault.fault, type: type && briefText(type), badFrames: this.counters.badFrames };
    this.#services.logger.debug({ ...this.#who(), ...fields }, message);
    // Neither of these expects an answer, and an answer to an answer could go on for ever.
    if (type !== "response" && type !== "notification") this.#fail(id, { code: rpcCode, message });
  }

  #fail(id: string | null, error: RpcError): void {
    this.#send(encodeFailure(id, error, FACTORY_PROTOCOL_VERSION));
  }

  #send(frame: string): void {
    this.#connection.send(frame);
  }

  /** Names the connection in the log, and for whom it acts once that is known. */
  #who(): object {
    const { id: connection, peerName: peer } = this.#connection;
    if (this.#client === undefined) return { connection, peer };
    return { connection, peer, principal: this.#services.host.rules.policies.nameOf(this.#client.principal.keyId) };
  }
}

const NOT_AUTHENTICATED = "Connection not authenticated. Must call daemon.authenticate first.";
const REFUSED = "The credential was refused.";

/** Name of a method without its prefix; empty where it has another one. */
function nameOf(method: string): string {
  return method.startsWith(PREFIX) ? method.slice(PREFIX.length) : "";
}

function isAuthentication({ method }: RequestEnvelope): boolean {
  return nameOf(method) === METHODS.authenticate.name;
}

function isTooLong(id: string | null): boolean {
  return id !== null && id.length > LIMITS.idChars;
}
