import { hostname } from "node:os";
import type { InitializeResponse } from "@agentclientprotocol/sdk";
import {
  type ConnectionError,
  type Logger,
  METHODS,
  newId,
  RpcCode,
  RpcFault,
  SessionNotFoundError,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { FACE_LIMITS } from "../limits/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { type AuthenticatedEngine, DaemonLink } from "./daemon-link.js";
import { type EditorMethod, type EditorParams, editorParams, mcpServersOf } from "./editor-params.js";
import { type EditorOutput, EditorPeer, type Served } from "./editor-peer.js";
import { type EditorOffers, FaceSession, notOpen } from "./face-session.js";
import { AcpCode, AGENT_OPTION, notOffered, promptOf } from "./mapping/index.js";
import { listSessions } from "./session-list.js";

/** A credential for the daemon, as `daemon.authenticate` takes it. */
export interface EditorCredential {
  readonly token?: string;
  readonly apiKey?: string;
  readonly proof?: string;
  readonly ticket?: string;
}

/** Options of {@link AcpFace}. */
export interface AcpFaceOptions {
  /** Where frames to the editor go. */
  readonly output: EditorOutput;
  readonly logger: Logger;
  /** Agent of new sessions; default the daemon's. */
  readonly agent?: string | undefined;
  /** Leave out the content of turns that other clients began. Default false. */
  readonly ownTurnsOnly?: boolean;
  /** Whether the editor must authenticate before anything else. Without, the face connects by itself. */
  readonly mustAuthenticate: boolean;
  /** Whether a lost link to the daemon is opened again. Otherwise its loss ends the face. */
  readonly isLasting: boolean;
  /** Opens an authenticated link to the daemon. Rejects with `AUTH_REJECTED` for a credential that is none. */
  connect(start: boolean, credential: EditorCredential): Promise<AuthenticatedEngine>;
  /** The face cannot go on: the daemon is gone for good. */
  onEnd(error: ConnectionError, event: TransportClose): void;
}

type Servers = {
  readonly [Name in EditorMethod]?: (params: EditorParams<Name>, signal: AbortSignal) => Promise<Served>;
};

/** The version of ACP that the face speaks (docs/wire/acp.md#wire). */
const PROTOCOL_VERSION = 1;
const AUTH_METHOD = "daemon-credential";

/**
 * The daemon's sessions for one editor that speaks the Agent Client Protocol, version 1: an agent on the one side, a client of the
 * daemon on the other. The daemon keeps the sessions, so an editor that ends leaves its turns running.
 */
export class AcpFace {
  readonly #options: AcpFaceOptions;
  readonly #peer: EditorPeer;
  readonly #link: DaemonLink;
  readonly #sessions = new Map<string, FaceSession>();
  readonly #servers: Servers = this.#table();
  #offers: EditorOffers = { notices: false, compaction: false, booleans: false, forms: false };
  #credential: EditorCredential | undefined;
  #agent: string | undefined;

  constructor(options: AcpFaceOptions) {
    const { output, logger, isLasting, mustAuthenticate } = options;
    this.#options = options;
    this.#agent = options.agent;
    if (!mustAuthenticate) this.#credential = {};
    this.#peer = new EditorPeer({
      output,
      logger,
      serve: (method, params, signal) => this.#serve(method, params, signal),
      onNotification: (method, params) => this.#notified(method, params),
      onWritable: () => {
        for (const session of this.#sessions.values()) session.onWritable();
      },
    });
    this.#link = new DaemonLink({
      isLasting,
      logger,
      connect: (start) => options.connect(start, this.#credential ?? {}),
      isWanted: () => [...this.#sessions.values()].some(({ isWaiting }) => isWaiting),
      onNotification: (notification) => this.#sessionOf(notification.params)?.onNotification(notification),
      onRequest: (request) => this.#sessionOf(request.params)?.onRequest(request),
      onRelinked: async (engine) => {
        await Promise.all([...this.#sessions.values()].map((session) => session.relinked(engine)));
      },
      onLost: (error, event) => options.onEnd(error, event),
    });
  }

  /** Takes one message of the editor. */
  receive(text: string): void {
    this.#peer.receive(text);
  }

  /** A line of the editor was too long or no UTF-8. */
  skip(message: string): void {
    this.#peer.skip(message);
  }

  /** Authenticates with what came with the connection, before the editor says anything. Rejects as `connect` does. */
  async authenticate(credential: EditorCredential): Promise<void> {
    this.#credential = credential;
    try {
      await this.#link.open();
    } catch (error) {
      if (this.#options.mustAuthenticate) this.#credential = undefined;
      throw error;
    }
  }

  /**
   * The editor sends nothing more, and may still read: resolves when its calls are answered. A prompt that has not ended after
   * `lastPromptsMs` is not: its turn goes on.
   */
  async answered(): Promise<void> {
    await this.#peer.answered((method) => method === "session/prompt");
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FACE_LIMITS.lastPromptsMs);
    });
    await Promise.race([this.#peer.answered(() => false), isLate]);
    clearTimeout(timer);
  }

  /** The editor is gone: detaches from all sessions, which go on. */
  end(): void {
    this.#peer.end();
    this.#link.close();
    this.#sessions.clear();
  }

  #table(): Servers {
    return {
      initialize: (params) => this.#initialize(params),
      authenticate: (params) => this.#authenticate(params),
      "session/new": (params) => this.#new(params),
      "session/load": ({ sessionId, mcpServers }) => this.#open(sessionId, mcpServers, true),
      "session/resume": ({ sessionId, mcpServers }) => this.#open(sessionId, mcpServers, false),
      "session/list": async (params) => ({ result: await listSessions(this.#link, params) }),
      "session/close": ({ sessionId }) => this.#close(sessionId),
      "session/delete": ({ sessionId }) => this.#delete(sessionId),
      "session/prompt": async ({ sessionId, prompt }, signal) => ({
        result: await this.#opened(sessionId).prompt(promptOf(prompt), signal),
      }),
      "session/set_mode": async ({ sessionId, modeId }) => {
        await this.#opened(sessionId).setMode(modeId);
        return { result: {} };
      },
      "session/set_config_option": async ({ sessionId, configId, value }) => ({
        result: await this.#setOption(this.#opened(sessionId), configId, value),
      }),
    };
  }

  async #serve(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<Served> {
    const name = method as EditorMethod;
    const serve = Object.hasOwn(this.#servers, method)
      ? (this.#servers[name] as (params: unknown, signal: AbortSignal) => Promise<Served>)
      : undefined;
    if (serve === undefined) throw new RpcFault(RpcCode.methodNotFound, `Method not found: ${method}`);
    const checked = editorParams(name, params);
    if (this.#credential === undefined && method !== "initialize" && method !== "authenticate")
      throw notAuthenticated();
    return serve(checked, signal);
  }

  #notified(method: string, params: Record<string, unknown>): void {
    if (method !== "session/cancel" || typeof params.sessionId !== "string") return;
    void this.#sessions.get(params.sessionId)?.cancel();
  }

  async #initialize({ clientCapabilities }: EditorParams<"initialize">): Promise<Served> {
    const { elicitation, session } = clientCapabilities ?? {};
    this.#offers = {
      notices: Boolean(session?.notices),
      compaction: Boolean(session?.compaction),
      booleans: Boolean(session?.configOptions?.boolean),
      forms: Boolean(elicitation?.form),
    };
    if (this.#credential !== undefined) await this.authenticate(this.#credential);
    const { agents = [] } = this.#link.capabilities;
    const isOpen = this.#credential !== undefined;
    const result: InitializeResponse = {
      protocolVersion: PROTOCOL_VERSION,
      agentCapabilities: {
        loadSession: true,
        promptCapabilities: { image: true, audio: false, embeddedContext: true },
        mcpCapabilities: { http: true, sse: true },
        sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {} },
      },
      authMethods: isOpen ? [] : [CREDENTIAL_METHOD],
      agentInfo: { name: "local-daemon", title: "Local daemon", version: LOCAL_DAEMON_VERSION },
      _meta: { daemonSdk: { version: LOCAL_DAEMON_VERSION, ...(isOpen && { agents }) } },
    };
    return { result };
  }

  async #authenticate({ methodId, _meta: meta }: EditorParams<"authenticate">): Promise<Served> {
    if (!this.#options.mustAuthenticate || methodId !== AUTH_METHOD) {
      throw notOffered("authentication method", methodId, this.#options.mustAuthenticate ? [AUTH_METHOD] : []);
    }
    if (this.#credential === undefined) await this.authenticate(credentialOf(meta?.daemonSdk));
    return { result: {} };
  }

  async #new({ cwd, mcpServers, _meta: meta }: EditorParams<"session/new">): Promise<Served> {
    this.#checkRoom();
    await this.#link.open();
    const asked = meta?.daemonSdk?.agent;
    const agent = typeof asked === "string" ? asked : this.#agent;
    const servers = mcpServersOf(mcpServers);
    const session = this.#makeSession(newId());
    try {
      return await session.create({
        ...{ cwd, machineId: hostname() },
        ...(agent !== undefined && { agent }),
        ...(servers !== undefined && { mcpServers: servers }),
      });
    } catch (error) {
      this.#sessions.delete(session.id);
      throw error;
    }
  }

  async #open(id: string, mcpServers: EditorParams<"session/new">["mcpServers"], history: boolean): Promise<Served> {
    const known = this.#sessions.get(id);
    if (known === undefined) this.#checkRoom();
    const session = known ?? this.#makeSession(id);
    const servers = mcpServersOf(mcpServers);
    try {
      return await session.load({ history, ...(servers !== undefined && { mcpServers: servers }) });
    } catch (error) {
      this.#sessions.delete(id);
      throw error;
    }
  }

  async #close(id: string): Promise<Served> {
    const session = this.#opened(id);
    this.#sessions.delete(id);
    await session.leave();
    return { result: {} };
  }

  /** Archives the session. One that is unknown counts as deleted. */
  async #delete(id: string): Promise<Served> {
    if (this.#sessions.has(id)) await this.#close(id);
    try {
      await this.#link.request(METHODS.archiveSession, { sessionId: id });
    } catch (error) {
      if (!SessionNotFoundError.is(error)) throw error;
    }
    return { result: {} };
  }

  async #setOption(session: FaceSession, configId: string, value: string | boolean): Promise<object> {
    if (configId !== AGENT_OPTION) return session.setOption(configId, value);
    const { agents = [] } = this.#link.capabilities;
    if (typeof value !== "string" || !agents.includes(value)) throw notOffered("agent", value, agents);
    this.#agent = value;
    const answer = session.options();
    for (const other of this.#sessions.values()) other.tellOptions();
    return answer;
  }

  #opened(id: string): FaceSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw notOpen(id);
    return session;
  }

  #sessionOf({ sessionId }: Record<string, unknown>): FaceSession | undefined {
    return typeof sessionId === "string" ? this.#sessions.get(sessionId) : undefined;
  }

  #checkRoom(): void {
    if (this.#sessions.size < FACE_LIMITS.sessions) return;
    const message = `${FACE_LIMITS.sessions} sessions are open on this connection (sessions). Close one.`;
    throw new RpcFault(RpcCode.internalError, message, { code: "QUEUE_FULL", retryable: true });
  }

  #makeSession(id: string): FaceSession {
    const { logger, ownTurnsOnly = false } = this.#options;
    const session = new FaceSession({
      ...{ id, logger, ownTurnsOnly, link: this.#link, peer: this.#peer, offers: this.#offers },
      agents: () => ({ names: this.#link.capabilities.agents ?? [], next: this.#agent }),
    });
    this.#sessions.set(id, session);
    return session;
  }
}

const CREDENTIAL_METHOD = {
  id: AUTH_METHOD,
  name: "Credential of the daemon",
  description:
    "Send the header `Authorization: Bearer <key, token or ticket>` with the upgrade, or put `apiKey`, `token` or `ticket` into `_meta.daemonSdk` of `authenticate`.",
};

function credentialOf(given: Record<string, unknown> | undefined): EditorCredential {
  const names = ["token", "apiKey", "proof", "ticket"] as const;
  return Object.fromEntries(names.flatMap((name) => (typeof given?.[name] === "string" ? [[name, given[name]]] : [])));
}

function notAuthenticated(): RpcFault {
  const message = `Authenticate first: method "${AUTH_METHOD}". ${CREDENTIAL_METHOD.description}`;
  return new RpcFault(AcpCode.authRequired, message);
}
