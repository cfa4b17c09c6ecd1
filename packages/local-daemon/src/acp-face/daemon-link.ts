import {
  ConnectionError,
  type DaemonCapabilities,
  type InboundNotification,
  type InboundRequest,
  LIMITS,
  type Logger,
  type Method,
  NO_ANSWER,
  type ParamsOf,
  type ProtocolEngine,
  type ResultOf,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { FACE_LIMITS } from "../limits/index.js";

/** An authenticated link to the daemon. Nothing of a session is received on it before a session is attached. */
export interface AuthenticatedEngine {
  readonly engine: ProtocolEngine;
  readonly capabilities: DaemonCapabilities;
}

/** Options of {@link DaemonLink}. */
export interface DaemonLinkOptions {
  /** Opens an authenticated link. @param start whether a daemon may be started for it */
  connect(start: boolean): Promise<AuthenticatedEngine>;
  /** Whether a lost link is opened again. Otherwise its loss ends all. */
  readonly isLasting: boolean;
  readonly logger: Logger;
  /** Whether somebody waits for what only a daemon can say, such as the end of a turn: one is started then, as for a call. */
  isWanted(): boolean;
  onNotification(notification: InboundNotification): void;
  /** A request to the user. Answer it with {@link DaemonLink.respond}. Also called for the entry of an early copy. */
  onRequest(request: InboundRequest): void;
  /** A later link is open: attach again what was attached, through this engine. */
  onRelinked(engine: ProtocolEngine): Promise<void>;
  /** A link that does not last is lost. */
  onLost(error: ConnectionError, event: TransportClose): void;
}

interface Waiting {
  readonly resolve: (engine: ProtocolEngine) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The face's link to the daemon, over any number of connections.
 *
 * A lost link is opened again by itself while a daemon runs. A daemon is started only for a call, or for a prompt that waits: one
 * that a person stopped stays stopped until the editor wants something. Calls that may be repeated are, on the next link.
 */
export class DaemonLink {
  readonly #options: DaemonLinkOptions;
  #capabilities: DaemonCapabilities = {};
  #engine: ProtocolEngine | undefined;
  #waiting: Waiting[] = [];
  #isOpening = false;
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(options: DaemonLinkOptions) {
    this.#options = options;
  }

  /** What the daemon of the last link offers. */
  get capabilities(): DaemonCapabilities {
    return this.#capabilities;
  }

  /** Whether a link is open. */
  get isLinked(): boolean {
    return this.#engine !== undefined;
  }

  /** Opens the first link; a later call waits for the present one. */
  async open(): Promise<DaemonCapabilities> {
    await this.#linked();
    return this.#capabilities;
  }

  /** Calls the daemon. @param onResult called when the answer is read, before any later frame */
  async request<M extends Method<object, unknown>>(
    method: M,
    params: ParamsOf<M>,
    onResult?: (result: ResultOf<M>) => void,
  ): Promise<ResultOf<M>> {
    for (let repeats = 0; ; repeats++) {
      const engine = await this.#linked();
      try {
        const options =
          onResult === undefined ? {} : { onResult: (result: unknown) => onResult(result as ResultOf<M>) };
        return await engine.request(method, params, options);
      } catch (error) {
        const isLost = ConnectionError.is(error, "CONNECTION_LOST") || ConnectionError.is(error, "CONNECTION_CLOSED");
        const mayRepeat = this.#options.isLasting && !this.#isClosed && method.isRepeatable;
        if (!isLost || !mayRepeat || repeats >= LIMITS.callRepeats) throw error;
      }
    }
  }

  /** Answers a request to the user; dropped without a link, because the next link lists the request again. */
  respond(id: string, result: object): void {
    this.#engine?.respond(id, result);
  }

  /** Sends a notification; dropped without a link. */
  notify(name: string, params: object): void {
    this.#engine?.notify(name, params);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
    this.#refuse(new ConnectionError("CONNECTION_CLOSED", "The editor has disconnected."));
    this.#engine?.close();
    this.#engine = undefined;
  }

  #linked(): Promise<ProtocolEngine> {
    if (this.#engine !== undefined) return Promise.resolve(this.#engine);
    if (this.#isClosed) return Promise.reject(new ConnectionError("CONNECTION_CLOSED", "The link is closed."));
    const linked = new Promise<ProtocolEngine>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#wake();
    if (!this.#isOpening) void this.#open();
    return linked;
  }

  async #open(isAgain = false): Promise<void> {
    this.#isOpening = true;
    for (let attempt = 0; !this.#isClosed && this.#engine === undefined; attempt++) {
      if (isAgain && this.#waiting.length === 0) await this.#pause(attempt);
      const start = this.#waiting.length > 0 || (isAgain && this.#options.isWanted());
      // Nobody waits for a first link any more.
      if (!isAgain && !start) break;
      try {
        await this.#adopt(await this.#options.connect(start), isAgain);
      } catch (error) {
        this.#options.logger.debug({ error: String(error), start }, "the daemon could not be reached");
        // Whoever waits gets the reason; what comes later tries again.
        if (start) this.#refuse(error);
      }
    }
    this.#isOpening = false;
  }

  async #adopt({ engine, capabilities }: AuthenticatedEngine, isAgain: boolean): Promise<void> {
    if (this.#isClosed) {
      engine.close();
      return;
    }
    engine.onNotification = (notification) => this.#options.onNotification(notification);
    const asked = (request: InboundRequest) => this.#options.onRequest(request);
    engine.onRequest = (request) => {
      asked(request);
      return NO_ANSWER;
    };
    engine.onRepeatedRequest = asked;
    engine.onClose = (error, event) => this.#lost(engine, error, event);
    engine.maxMessageBytes = capabilities.maxMessageBytes ?? LIMITS.sessionFrameBytes;
    this.#capabilities = capabilities;
    this.#engine = engine;
    if (isAgain) await this.#options.onRelinked(engine);
    for (const { resolve } of this.#waiting.splice(0)) resolve(engine);
  }

  #lost(engine: ProtocolEngine, error: ConnectionError, event: TransportClose): void {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    if (this.#isClosed) return;
    if (!this.#options.isLasting) this.#options.onLost(error, event);
    else if (!this.#isOpening) void this.#open(true);
  }

  #refuse(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Waits before the next attempt, or until a call needs the link. */
  #pause(attempt: number): Promise<void> {
    const { relinkDelaysMs } = FACE_LIMITS;
    const delayMs = relinkDelaysMs[Math.min(attempt, relinkDelaysMs.length - 1)];
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
