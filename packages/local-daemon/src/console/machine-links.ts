import {
  CloseCode,
  ConnectionError,
  DaemonError,
  decodeFrame,
  encodeFailure,
  encodeRequest,
  isRecord,
  joinTransports,
  type Logger,
  METHODS,
  type RequestEnvelope,
  RpcCode,
  type Transport,
} from "@daemon-sdk/protocol";
import type { Credentials } from "../access/index.js";
import type { Accepted } from "../listener/index.js";
import type { FleetForConsole } from "./shown-fleet.js";

/** Options of {@link MachineLinks}. */
export interface MachineLinksOptions {
  readonly credentials: Credentials;
  /** From accept to an accepted credential. */
  readonly authenticateMs: number;
  readonly logger: Logger;
}

/** The machine that a link of the page is for. */
export interface LinkedMachine {
  readonly machineId: string;
  readonly fleet: FleetForConsole;
}

type PageLink = Accepted & LinkedMachine;

/** How long a link lasts. */
interface Life {
  /** Aborted when the link is over. */
  readonly signal: AbortSignal;
  /** The link is over. */
  ended(): void;
}

/**
 * Links of the console's page to other machines, which pass through this daemon. The page authenticates here, with a ticket of its tab as
 * for a connection to this daemon. Then a link to the machine is dialed with the credentials of the fleet, and every message is passed
 * on as it is.
 *
 * The other machine knows this daemon's service and nothing of the tab. So only a tab of the person is let through.
 */
export class MachineLinks {
  readonly #options: MachineLinksOptions;
  readonly #open = new Set<Transport>();

  constructor(options: MachineLinksOptions) {
    this.#options = options;
  }

  /** Serves a socket of the page until one of the two ends has ended. */
  accept(accepted: Accepted, machine: LinkedMachine): void {
    const link = { ...accepted, ...machine };
    const { transport } = link;
    const ending = new AbortController();
    this.#open.add(transport);
    const waitedMs = performance.now() - link.acceptedAt;
    const timer = setTimeout(
      () => transport.close(CloseCode.unauthenticated, "CONNECT_TIMEOUT"),
      Math.max(0, this.#options.authenticateMs - waitedMs),
    );
    const ended = () => {
      clearTimeout(timer);
      this.#open.delete(transport);
      ending.abort(new ConnectionError("CONNECTION_CLOSED", "The link is over."));
    };
    transport.onClose = ended;
    let isFirst = true;
    transport.onMessage = (text) => {
      clearTimeout(timer);
      // Nothing may be sent before the answer to the first message.
      if (!isFirst) transport.close(CloseCode.protocolError, "PROTOCOL_VIOLATION");
      else void this.#authenticate(link, text, { signal: ending.signal, ended });
      isFirst = false;
    };
  }

  /** Closes all of them. */
  close(): void {
    for (const transport of this.#open) transport.close(CloseCode.goingAway, "the daemon stops");
  }

  async #authenticate(link: PageLink, text: string, { signal, ended }: Life): Promise<void> {
    const { logger } = this.#options;
    const { transport, machineId, fleet } = link;
    const decoded = decodeFrame(text);
    const request = decoded.ok && decoded.envelope.type === "request" ? decoded.envelope : undefined;
    if (request === undefined || !this.#isOfThePerson(request)) {
      logger.warn({ machineId }, "a page without the person's credential was refused a link to another machine");
      const refusal = { code: RpcCode.authentication, message: NOT_ACCEPTED, data: { code: "AUTH_REJECTED" } };
      transport.send(encodeFailure(request?.id ?? null, refusal));
      transport.close(CloseCode.unauthenticated, "AUTH_REJECTED");
      return;
    }
    link.markAuthenticated();
    try {
      const far = await (await fleet.open()).dial(machineId, signal);
      if (signal.aborted) return far.terminate();
      join(transport, far, ended);
      far.send(withoutTicket(request));
    } catch (error) {
      if (!signal.aborted) this.#refuse(transport, request.id, error);
    }
  }

  #isOfThePerson({ method, params }: RequestEnvelope): boolean {
    const ticket = isRecord(params) ? params.ticket : undefined;
    if (method !== `daemon.${METHODS.authenticate.name}` || typeof ticket !== "string") return false;
    const principal = this.#options.credentials.tickets.redeem(ticket);
    return principal !== undefined && principal.keyId === undefined;
  }

  /** The page gets the reason, and its next attempt may succeed. */
  #refuse(transport: Transport, id: string, error: unknown): void {
    const { code, message, retryable } = DaemonError.is(error)
      ? error
      : new DaemonError("INTERNAL", "The link to the machine could not be made.", { cause: error });
    this.#options.logger.info({ code, error: String(error) }, "a link of the console to another machine was not made");
    transport.send(encodeFailure(id, { code: RpcCode.internalError, message, data: { code, retryable } }));
    transport.close(CloseCode.goingAway, code);
  }
}

/** Either end may be the one whose end the join does not report. */
function join(near: Transport, far: Transport, ended: () => void): void {
  joinTransports(near, far);
  for (const end of [near, far]) {
    const { onClose } = end;
    end.onClose = (event) => {
      ended();
      onClose?.(event);
    };
  }
}

const NOT_ACCEPTED =
  "Links to other machines are for a tab of the person whose daemon this is, with a ticket of that tab. " +
  'Make a link with "local-daemon open".';

/** The machine knows who dials by the subject. The ticket was valid here only, and is used up. */
function withoutTicket({ id, method, params }: RequestEnvelope): string {
  const { ticket: _ticket, ...rest } = isRecord(params) ? params : {};
  return encodeRequest(method, id, { ...rest, token: "fleet" });
}
