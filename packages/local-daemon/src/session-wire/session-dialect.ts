import { platform } from "node:os";
import {
  type AuthenticateParams,
  CloseCode,
  ConnectionError,
  type DaemonCapabilities,
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
import type { Credentials } from "../access/index.js";
import type { Connection, Dialect } from "../connection/index.js";
import { homeDirectory } from "../home-directory.js";
import { validAnswer } from "../inbox/index.js";
import { SERVING_LIMITS } from "../limits/index.js";
import type { SessionHost } from "../sessions/index.js";
import { AttachedClient } from "./attached-client.js";
import {
  AGENT_HANDLERS,
  type Call,
  type Handler,
  LIFECYCLE_HANDLERS,
  LISTING_HANDLERS,
  PING_HANDLERS,
  RECEIPT_HANDLERS,
  REQUEST_HANDLERS,
  SETTINGS_HANDLERS,
  TICKET_HANDLERS,
  TURN_HANDLERS,
} from "./handlers/index.js";
import { ReachableSessions, reaches } from "./reachable-sessions.js";
import { toRpcError } from "./rpc-error.js";

const PREFIX = "daemon.";
const GRANT_CREDIT = `${PREFIX}grant_credit`;

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  [
    ...PING_HANDLERS,
    ...LIFECYCLE_HANDLERS,
    ...TURN_HANDLERS,
    ...RECEIPT_HANDLERS,
    ...REQUEST_HANDLERS,
    ...SETTINGS_HANDLERS,
    ...LISTING_HANDLERS,
    ...AGENT_HANDLERS,
    ...TICKET_HANDLERS,
  ].map((handler) => [handler.name, handler]),
);

/** Options of {@link SessionDialect}. */
export interface SessionDialectOptions {
  readonly host: SessionHost;
  readonly credentials: Credentials;
  /** Checks a proof against the upgrade of this very connection. */
  verifyProof(proof: string): boolean;
  /** Called once the credential was accepted. */
  onAuthenticated?(): void;
  readonly logger: Logger;
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
  readonly #options: SessionDialectOptions;
  readonly #host: SessionHost;
  readonly #logger: Logger;
  #client: AttachedClient | undefined;
  readonly #calls = new Set<Promise<void>>();
  #refusals = 0;
  #isLoggedOut = false;

  constructor(connection: Connection, options: SessionDialectOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#host = options.host;
    this.#logger = options.logger;
  }

  onMessage(text: string): void {
    const decoded = decodeFrame(text);
    if (!decoded.ok) {
      this.#badFrame(decoded);
      return;
    }
    const { envelope } = decoded;
    switch (envelope.type) {
      case "request":
        this.#onRequest(envelope);
        break;
      case "response":
        if (this.#client === undefined) this.counters.badFrames++;
        else this.#answer(envelope, this.#client);
        break;
      case "notification":
        if (!this.#grant(envelope)) this.#stray(envelope);
        break;
    }
  }

  onClose(): void {
    this.#client?.detachAll();
    const { badFrames, strayNotifications, unknownMethods } = this.counters;
    if (badFrames + strayNotifications + unknownMethods === 0) return;
    this.#logger.info({ ...this.#who(), ...this.counters }, "a client sent frames that were not acted on");
  }

  /** The one notification that a client sends. False when it is another, or names nothing that this client follows. */
  #grant({ method, params }: NotificationEnvelope): boolean {
    if (method !== GRANT_CREDIT || this.#client === undefined) return false;
    const parsed = z.safeParse(grantCreditParamsSchema, params);
    return parsed.success && this.#client.grant(sessionId(parsed.data.sessionId), parsed.data);
  }

  #stray({ method }: NotificationEnvelope): void {
    this.counters.strayNotifications++;
    this.#logger.debug({ ...this.#who(), method }, "a client's notification was ignored");
  }

  #onRequest(request: RequestEnvelope): void {
    const { id, method, params } = request;
    const name = method.startsWith(PREFIX) ? method.slice(PREFIX.length) : "";
    if (name === METHODS.authenticate.name) this.#authenticate(id, params);
    else if (this.#client === undefined || this.#isLoggedOut)
      this.#fail(id, { code: RpcCode.authentication, message: NOT_AUTHENTICATED });
    else if (name === METHODS.logout.name) void this.#logout(id, params, this.#client);
    else this.#track(this.#call(id, name, params, this.#client));
  }

  #authenticate(id: string, params: Record<string, unknown>): void {
    const parsed = z.safeParse(METHOD_SCHEMAS.authenticate.params, params);
    if (!parsed.success) {
      this.#refuse(id, { code: RpcCode.invalidParams, message: issueText("authenticate", parsed.error) });
      return;
    }
    const principal = this.#options.credentials.identify(parsed.data, this.#options.verifyProof);
    if (principal === undefined) {
      this.#refuse(id, { code: RpcCode.authentication, message: REFUSED });
      return;
    }
    const isFirst = this.#client === undefined;
    const isPlain = parsed.data.proof === undefined && parsed.data.ticket === undefined;
    this.#client ??= new AttachedClient(this.#connection, isPlain, principal);
    const { agents, services } = this.#host;
    const { instanceId } = services;
    const result = { userId: "local", orgId: "local", capabilities: capabilities(agents.names), instanceId };
    this.#send(encodeResult(id, result, FACTORY_PROTOCOL_VERSION));
    if (isFirst) this.#welcome(parsed.data);
  }

  #welcome({ caller }: AuthenticateParams): void {
    this.#connection.accept(caller.slice(0, SERVING_LIMITS.peerNameChars));
    this.#options.onAuthenticated?.();
    const status = { isDroidCLIInPath: false, homedir: homeDirectory() ?? "", platform: platform() };
    this.#send(encodeNotification("daemon.connection_status", status, FACTORY_PROTOCOL_VERSION));
  }

  /** The same answer whatever was wrong with the credential, and an end to guessing. */
  #refuse(id: string, error: RpcError): void {
    this.#fail(id, error);
    this.#refusals++;
    this.#logger.warn({ ...this.#who(), refusals: this.#refusals }, "a credential was refused");
    if (this.#refusals < LIMITS.authenticateAttempts) return;
    this.#connection.fail(
      new ConnectionError("AUTH_REJECTED", "Too many refused credentials."),
      CloseCode.unauthenticated,
    );
  }

  #track(call: Promise<void>): void {
    this.#calls.add(call);
    // Never rejects: errors were answered.
    void call.then(() => this.#calls.delete(call));
  }

  /**
   * Closes the connection: a client is logged in by its connection alone. Earlier requests are answered first.
   */
  async #logout(id: string, params: Record<string, unknown>, client: AttachedClient): Promise<void> {
    const parsed = z.safeParse(METHOD_SCHEMAS.logout.params, params);
    if (!parsed.success) {
      this.#fail(id, { code: RpcCode.invalidParams, message: issueText("logout", parsed.error) });
      return;
    }
    this.#isLoggedOut = true;
    await Promise.all(this.#calls);
    this.#send(encodeResult(id, { accepted: true }, FACTORY_PROTOCOL_VERSION));
    client.close();
  }

  async #call(id: string, name: string, params: Record<string, unknown>, client: AttachedClient): Promise<void> {
    try {
      const handler = this.#handlerOf(name);
      const parsed = z.safeParse(handler.params, params);
      if (!parsed.success) throw badParams(issueText(name, parsed.error));
      const { result, after } = await handler.run(parsed.data, this.#callOf(id, client));
      this.#send(encodeResult(id, result, FACTORY_PROTOCOL_VERSION));
      after?.();
    } catch (error) {
      const answer = toRpcError(error);
      const fields = { ...this.#who(), method: name, request: id, rpcCode: answer.code };
      if (answer.code === RpcCode.internalError) this.#logger.error({ ...fields, error }, "a request failed");
      else this.#logger.debug({ ...fields, error: answer.message }, "a request was refused");
      this.#fail(id, answer);
    }
  }

  #answer(envelope: ResponseEnvelope, client: AttachedClient): void {
    this.#host.services.inbox.answer(envelope, client, {
      reaches: (id) => reaches(client, this.#host.find(id)?.row ?? { owner: undefined }),
      check: validAnswer,
    });
  }

  #callOf(requestId: string, client: AttachedClient): Call {
    const { tickets } = this.#options.credentials;
    return { requestId, client, tickets, sessions: new ReachableSessions(this.#host, client), host: this.#host };
  }

  #handlerOf(name: string): Handler {
    const handler = HANDLERS.get(name);
    if (handler !== undefined) return handler;
    this.counters.unknownMethods++;
    throw new ProtocolError("METHOD_NOT_FOUND", "Method not found", { rpcCode: RpcCode.methodNotFound });
  }

  #badFrame(fault: Extract<ReturnType<typeof decodeFrame>, { ok: false }>): void {
    const { id, rpcCode, message, type } = fault;
    this.counters.badFrames++;
    this.#logger.debug({ ...this.#who(), fault: fault.fault, type, badFrames: this.counters.badFrames }, message);
    // Neither of these expects an answer, and an answer to an answer could go on for ever.
    if (type !== "response" && type !== "notification") this.#fail(id, { code: rpcCode, message });
  }

  #fail(id: string | null, error: RpcError): void {
    this.#send(encodeFailure(id, error, FACTORY_PROTOCOL_VERSION));
  }

  #send(frame: string): void {
    this.#connection.send(frame);
  }

  #who(): object {
    return { connection: this.#connection.id, peer: this.#connection.peerName };
  }
}

const NOT_AUTHENTICATED = "Connection not authenticated. Must call daemon.authenticate first.";
const REFUSED = "The credential was refused.";
function capabilities(agents: string[]): DaemonCapabilities {
  return {
    turns: true,
    inbox: true,
    directInterrupt: true,
    turnInterrupt: true,
    detach: true,
    positions: true,
    resume: true,
    credit: true,
    receipts: true,
    requests: true,
    ping: true,
    tickets: true,
    agents,
  };
}

function badParams(message: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", message, { rpcCode: RpcCode.invalidParams });
}

/** Names the first field that is wrong and what it should be; never its value, which may be a secret. */
function issueText(name: string, error: z.core.$ZodError): string {
  const [issue] = error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "params" : `params.${issue.path.join(".")}`;
  return `Invalid params of daemon.${name}: ${field}: ${issue?.message ?? "not as the method wants them"}`;
}
