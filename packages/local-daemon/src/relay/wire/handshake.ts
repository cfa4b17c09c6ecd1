import type { Logger } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, ErrorCode, type HelloPayload, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { RelayLimits } from "../../limits/index.js";
import type { DurableMailboxes } from "../mailboxes/index.js";
import {
  addressFor,
  agentNameFault,
  type Directory,
  type Evidence,
  isComponentName,
  isReservedName,
  type NameRegistry,
  recordOf,
} from "../names/index.js";
import { ConnectedPeer } from "./connected-peer.js";
import { isServedEarly } from "./early-requests.js";
import { boundedHello, credentialFault } from "./hello-bounds.js";
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
  readonly directory: Directory;
  readonly mailboxes: Pick<DurableMailboxes, "takeLoss" | "hasMail">;
  /** `open`: the newest connection of a name has it, and every peer acts for the person, as in the original. */
  readonly access: "owned" | "open";
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
  | { readonly hello: HelloPayload; readonly isProven: boolean; readonly fault?: undefined }
  | { readonly fault: Fault };

interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Answers HELLO, and admits requests before it (docs/wire/relay.md#handshake, docs/wire/relay.md#resume). */
export class Handshake {
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Registers the sender, writes WELCOME and returns the peer. Undefined after a refusal: the connection closes. */
  answer(writer: RelayWriter, envelope: Envelope, admission: Admission): ConnectedPeer | undefined {
    const { registry, directory, access, limits, now, logger } = this.#options;
    const checked = this.#check(envelope, admission);
    if (checked.fault !== undefined) {
      writer.refuse(checked.fault.code, checked.fault.message, { fatal: true, refId: envelope.id });
      return undefined;
    }
    const { hello, isProven } = checked;
    admission.onAdmitted();
    const entityType = entityTypeOf(hello);
    const address = addressFor(hello.agent, entityType);
    const session = this.#sessionOf(address, hello.session?.resume_token);
    const evidence = evidenceOf(hello, isProven);
    const isSpawned = entityType === "agent" && directory.isAwaited(hello.agent, evidence.credential);
    registry.arrived(address, {
      ...{ record: recordOf(hello, entityType, now()), evidence, session: session.made },
      isSpawned,
    });
    if (session.staleness !== undefined) {
      writer.refuse(ErrorCode.RESUME_TOO_OLD, session.staleness, { refId: envelope.id });
    }
    this.#welcome(writer, session);
    const { relayFrameBytes: maxFrameBytes, relayProcessingMs: processingMs } = limits;
    const { connection } = writer;
    return new ConnectedPeer({
      ...{ connection, maxFrameBytes, logger, hello, entityType, now, processingMs },
      sessionId: session.id,
      isProven,
      actsForPerson: isProven || access === "open",
      ownedSince: registry.ownedSince(address),
    });
  }

  /**
   * The peer of a connection that sends a request before its HELLO; undefined when the request is refused. The peer has no name
   * but the one that its request states, is not present, and has no mailbox.
   */
  early(writer: RelayWriter, envelope: Envelope, admission: Admission): ConnectedPeer | undefined {
    const { access, limits, now, logger } = this.#options;
    if (!admission.isTrusted || !isServedEarly(envelope, access)) return undefined;
    admission.onAdmitted();
    const { relayFrameBytes: maxFrameBytes, relayProcessingMs: processingMs } = limits;
    return new ConnectedPeer({
      ...{ connection: writer.connection, maxFrameBytes, logger, now, processingMs },
      hello: { agent: envelope.from ?? "" },
      entityType: "agent",
      sessionId: "",
      isProven: false,
      actsForPerson: access === "open",
      ownedSince: now(),
    });
  }

  #check(envelope: Envelope, admission: Admission): CheckedHello {
    const checked = checkHello(envelope, admission);
    if (checked.fault !== undefined) return checked;
    const fault = this.#nameFault(checked.hello, checked.isProven) ?? this.#roomFault(checked.hello, checked.isProven);
    return fault === undefined ? checked : { fault };
  }

  /** Why there is no room for the name. An agent that the daemon starts has room: such agents have a bound of their own. */
  #roomFault(hello: HelloPayload, isProven: boolean): Fault | undefined {
    const { registry, directory, now } = this.#options;
    const entityType = entityTypeOf(hello);
    const evidence = evidenceOf(hello, isProven);
    if (entityType === "agent" && directory.isAwaited(hello.agent, evidence.credential)) return undefined;
    const record = recordOf(hello, entityType, now());
    const fault = registry.makeRoom(addressFor(hello.agent, entityType), { record, evidence });
    return fault && { code: ErrorCode.BAD_REQUEST, message: fault.message };
  }

  /** Why this sender cannot have the name now. */
  #nameFault(hello: HelloPayload, isProven: boolean): Fault | undefined {
    const { registry, directory, mailboxes, access } = this.#options;
    const { agent: name } = hello;
    const other = registry.lookAlike(name);
    if (other !== undefined) {
      const message = `Invalid agent name: ${JSON.stringify(name)} looks like ${JSON.stringify(other)}, which is known. Choose another.`;
      return { code: ErrorCode.BAD_REQUEST, message };
    }
    const evidence = evidenceOf(hello, isProven);
    const entityType = entityTypeOf(hello);
    const address = addressFor(name, entityType);
    if (access === "open" || registry.isOwner(address, evidence)) return undefined;
    if (directory.isConnected(name, entityType)) return held(name, "It is connected");
    if (entityType === "agent" && directory.isAwaited(name, evidence.credential)) return undefined;
    return mailboxes.hasMail(address) ? held(name, "Mail waits for it") : undefined;
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
  const hello = boundedHello(envelope.payload);
  const isProven = admission.verify(hello);
  if (!admission.isTrusted && !isProven) {
    const message =
      "HELLO proves nothing: connect through the unix socket, or put a proof or a ticket into its payload.";
    return refused(ErrorCode.UNAUTHORIZED, message);
  }
  const { agent: name } = hello;
  if (isReservedName(name) && !(hello._isSystemComponent === true && (isProven || mayBeComponent(name, admission)))) {
    return refused(ErrorCode.BAD_REQUEST, `Agent name "${name}" is reserved for system use`);
  }
  const fault = agentNameFault(name) ?? credentialFault(hello);
  return fault === undefined ? { hello, isProven } : refused(ErrorCode.BAD_REQUEST, fault);
}

/**
 * Whether a program of this user may have the name of a component without a proof. Names under which the daemon itself sends
 * need one.
 */
function mayBeComponent(name: string, { isTrusted }: Admission): boolean {
  return isTrusted && isComponentName(name);
}

function refused(code: ErrorCode, message: string): CheckedHello {
  return { fault: { code, message } };
}

function held(name: string, why: string): Fault {
  const message =
    `The name ${JSON.stringify(name)} has an owner. ${why}, and this HELLO shows neither its resume token nor the ` +
    "credential of its process.";
  return { code: ErrorCode.DUPLICATE_CONNECTION, message };
}

function entityTypeOf({ entityType }: HelloPayload): "agent" | "user" {
  return entityType === "user" ? "user" : "agent";
}

function evidenceOf({ session, process_credential: credential }: HelloPayload, isPerson: boolean): Evidence {
  return { token: session?.resume_token, credential, isPerson };
}
