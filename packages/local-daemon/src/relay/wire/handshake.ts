import type { Logger } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, ErrorCode, type HelloPayload, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { RelayLimits } from "../../limits/index.js";
import type { DurableMailboxes } from "../mailboxes/index.js";
import { addressFor, agentNameFault, isReservedName, type NameRegistry, recordOf } from "../names/index.js";
import { ConnectedPeer } from "./connected-peer.js";
import type { RelayWriter } from "./relay-writer.js";

/** How a connection was accepted, and what its HELLO has to prove because of that. */
export interface Admission {
  /** Only programs of this user can open the socket. Otherwise HELLO has to carry a proof or a ticket. */
  readonly isTrusted: boolean;
  /** Checks HELLO's proof or ticket against this very connection. */
  verify(hello: HelloPayload): boolean;
  /** The HELLO was accepted. */
  onAdmitted(): void;
}

/** Options of {@link Handshake}. */
export interface HandshakeOptions {
  readonly registry: NameRegistry;
  readonly mailboxes: Pick<DurableMailboxes, "takeLoss">;
  readonly limits: RelayLimits;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The session of a connection whose HELLO was accepted. */
interface Session {
  readonly id: string;
  readonly token: string;
  /** Why the token of HELLO resumes nothing. */
  readonly staleness: string | undefined;
  /** Set when the session is new. */
  readonly made?: { readonly id: string; readonly tokenHash: string };
}

/** A HELLO that is accepted, or why it is refused. */
type CheckedHello =
  | { readonly hello: HelloPayload; readonly fault?: undefined }
  | { readonly fault: { readonly code: ErrorCode; readonly message: string } };

/** Answers HELLO (docs/wire/relay.md#handshake, docs/wire/relay.md#resume). */
export class Handshake {
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Registers the sender, writes WELCOME and returns the peer. Undefined after a refusal: the connection closes. */
  answer(writer: RelayWriter, envelope: Envelope, admission: Admission): ConnectedPeer | undefined {
    const { registry, limits, now, logger } = this.#options;
    const checked = checkHello(envelope, admission);
    if (checked.fault !== undefined) {
      writer.refuse(checked.fault.code, checked.fault.message, { fatal: true, refId: envelope.id });
      return undefined;
    }
    const { hello } = checked;
    admission.onAdmitted();
    const entityType = hello.entityType === "user" ? "user" : "agent";
    const address = addressFor(hello.agent, entityType);
    const session = this.#sessionOf(address, hello.session?.resume_token);
    registry.arrived(address, recordOf(hello, entityType, now()), session.made);
    if (session.staleness !== undefined) {
      writer.refuse(ErrorCode.RESUME_TOO_OLD, session.staleness, { refId: envelope.id });
    }
    this.#welcome(writer, session);
    const { relayFrameBytes: maxFrameBytes, relayProcessingMs: processingMs } = limits;
    const { connection } = writer;
    return new ConnectedPeer({
      ...{ connection, maxFrameBytes, logger, hello, entityType, now, processingMs },
      sessionId: session.id,
    });
  }

  /** The session that the token resumes, else a new one. */
  #sessionOf(address: string, token: string | undefined): Session {
    const { registry, mailboxes } = this.#options;
    const known = token === undefined ? undefined : registry.sessionOf(address, token);
    const hasLost = mailboxes.takeLoss(address);
    if (token !== undefined && known !== undefined && !hasLost) return { id: known, token, staleness: undefined };
    const { id, token: newToken, tokenHash } = registry.createSession();
    const stale =
      known === undefined
        ? "Resume token rejected; starting new session"
        : "Messages of this session were dropped by age; starting new session";
    return { id, token: newToken, made: { id, tokenHash }, staleness: token === undefined ? undefined : stale };
  }

  #welcome(writer: RelayWriter, { id, token }: Session): void {
    const { relayFrameBytes, relayHeartbeatMs } = this.#options.limits;
    const extensions = { receipts: true, batches: true };
    const server = { max_frame_bytes: relayFrameBytes, heartbeat_ms: relayHeartbeatMs, ...extensions };
    writer.send(createEnvelope("WELCOME", { session_id: id, resume_token: token, server }));
  }
}

function checkHello(envelope: Envelope, admission: Admission): CheckedHello {
  if (!isEnvelopeOf(envelope, "HELLO")) {
    return refused(ErrorCode.BAD_REQUEST, "Frame error: HELLO needs a payload with `agent`, the name to connect under");
  }
  const hello = envelope.payload;
  const isProven = admission.verify(hello);
  if (!admission.isTrusted && !isProven) {
    const message =
      "HELLO proves nothing: connect through the unix socket, or put a proof or a ticket into its payload.";
    return refused(ErrorCode.UNAUTHORIZED, message);
  }
  const { agent: name } = hello;
  if (isReservedName(name) && !(hello._isSystemComponent === true && isProven)) {
    return refused(ErrorCode.BAD_REQUEST, `Agent name "${name}" is reserved for system use`);
  }
  const fault = agentNameFault(name);
  return fault === undefined ? { hello } : refused(ErrorCode.BAD_REQUEST, fault);
}

function refused(code: ErrorCode, message: string): CheckedHello {
  return { fault: { code, message } };
}
