import { ConnectionError } from "@daemon-sdk/protocol";
import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { isName, type Subjects } from "../names/index.js";
import { natsRefusal } from "../nats-base/index.js";
import { encodeFrame, FrameKind } from "./frame.js";
import { type LinkOptions, LinkTransport } from "./link-transport.js";

/** Options of {@link LinkRouter}. */
export interface LinkRouterOptions {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  /** What this process subscribes to, with everything below it. */
  readonly prefix: string;
  readonly link?: LinkOptions;
  /** Called with each message below the prefix that belongs to no link. `rest` is its subject after the prefix. */
  readonly onOther?: (message: Msg, rest: readonly string[]) => void;
  /** Called when the server refuses the subscription, also after a reconnect: no link can be opened any more. */
  readonly onRefused?: (error: ConnectionError) => void;
}

const NO_RESPONDERS = 503;
const RESET = encodeFrame({ kind: FrameKind.reset, sequence: 0, acknowledged: 0 });

/**
 * All links of one process, over one subscription. Links end with the connection to NATS: what is published while it is away is
 * dropped, and what was published to this process meanwhile is lost.
 *
 * Each message has the sender's own subject as its reply. So the server reports at once (503) when nobody listens at the other end,
 * and a process that does not know a link answers with a reset.
 */
export class LinkRouter {
  readonly #options: LinkRouterOptions;
  readonly #subscription: Subscription;
  readonly #links = new Map<string, { readonly link: LinkTransport; readonly peer: string }>();
  /** Peers of links that ended while NATS was away; they are reset when it is back. */
  #cutOff: { readonly peer: string; readonly own: string }[] = [];
  #isAway = false;
  #isClosed = false;
  #refusal: ConnectionError | undefined;

  constructor(options: LinkRouterOptions) {
    this.#options = options;
    const { nats, prefix } = options;
    this.#subscription = nats.subscribe(`${prefix}.>`, { callback: (error, message) => this.#route(error, message) });
    void this.#watch();
  }

  /** Whether NATS cannot be reached now. */
  get isAway(): boolean {
    return this.#isAway || this.#options.nats.isClosed();
  }

  /** How many links are open. */
  get size(): number {
    return this.#links.size;
  }

  /** Resolves when the server has the subscription; rejects with AUTH_REJECTED when the credentials may not have it. */
  async ready(): Promise<void> {
    await this.#options.nats.flush().catch((cause: unknown) => {
      throw new ConnectionError("CONNECTION_FAILED", `NATS did not take the subscription: ${String(cause)}.`, {
        cause,
      });
    });
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Whether a link of that token is open. */
  has(token: string): boolean {
    return this.#links.has(token);
  }

  /** The subject of a link of this process. */
  subjectOf(token: string): string {
    return `${this.#options.prefix}.l.${token}`;
  }

  /** Opens this end of a link. `peer` is the subject of the other end. The link has ended when the router is closed. */
  open(token: string, peer: string): LinkTransport {
    const own = this.subjectOf(token);
    const { nats, link: options } = this.#options;
    const wire = {
      maxPayloadBytes: nats.info?.max_payload ?? FLEET_LIMITS.frameBytes,
      publish: (bytes: Uint8Array) => {
        if (!this.isAway) nats.publish(peer, bytes, { reply: own });
        else this.#cutOff.push({ peer, own });
      },
      forget: () => this.#links.delete(token),
    };
    const link = new LinkTransport(wire, options);
    if (this.#isClosed) link.cut();
    else this.#links.set(token, { link, peer });
    return link;
  }

  /** Terminates all links and ends the subscription. */
  close(): void {
    this.#isClosed = true;
    for (const { link } of [...this.#links.values()]) link.terminate();
    this.#subscription.unsubscribe();
  }

  #route(error: Error | null, message: Msg): void {
    if (error !== null) {
      this.#refusal = natsRefusal(error);
      this.#options.onRefused?.(this.#refusal);
      return;
    }
    const { prefix } = this.#options;
    // A consumer of a stream delivers messages under subjects of their own.
    if (!message.subject.startsWith(`${prefix}.`)) return;
    const rest = message.subject.slice(prefix.length + 1).split(".");
    const [kind, token = ""] = rest;
    if (kind !== "l" || rest.length !== 2) {
      this.#options.onOther?.(message, rest);
      return;
    }
    const known = this.#links.get(token);
    if (known === undefined) this.#refuse(message);
    else if (message.headers?.code === NO_RESPONDERS) known.link.cut();
    else known.link.receive(message.data);
  }

  /** A message for a link that this process does not have: the sender is told, and nobody but a link of this tenant. */
  #refuse({ data, reply, subject }: Msg): void {
    const isReset = data[0] === FrameKind.reset;
    if (isReset || data.length === 0 || reply === undefined || !this.#options.subjects.owns(reply) || this.isAway)
      return;
    const [marker, token = ""] = reply.split(".").slice(-2);
    if (marker === "l" && isName(token)) this.#options.nats.publish(reply, RESET, { reply: subject });
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#options.nats.status()) {
      if (type === "disconnect" || type === "close") this.#wentAway();
      else if (type === "reconnect") this.#cameBack();
    }
  }

  #wentAway(): void {
    this.#isAway = true;
    for (const [token, { link, peer }] of [...this.#links]) {
      this.#cutOff.push({ peer, own: this.subjectOf(token) });
      link.cut();
    }
  }

  #cameBack(): void {
    this.#isAway = false;
    const { nats } = this.#options;
    for (const { peer, own } of this.#cutOff) nats.publish(peer, RESET, { reply: own });
    this.#cutOff = [];
  }
}
