import { type Envelope, ErrorCode, type HelloPayload, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import { addressFor, type DurableMailboxes } from "../mailboxes/index.js";
import { agentNameFault, isReservedName, type NameRegistry, recordOf } from "../names/index.js";

/** What a connection came through, and what that lets its peer do. */
export interface Admission {
  /** Whoever can open the socket may connect. Otherwise HELLO has to prove something. */
  readonly isTrusted: boolean;
  /** Checks a proof or a ticket against this very connection. */
  verify(hello: HelloPayload): boolean;
  /** Its HELLO was accepted. */
  onAdmitted(): void;
}

/** Options of {@link greet}. */
export interface GreetOptions {
  readonly registry: NameRegistry;
  readonly mailboxes: DurableMailboxes;
  readonly admission: Admission;
  readonly now: number;
}

/** Who has come, and with which session. */
export interface Greeting {
  readonly hello: HelloPayload;
  readonly entityType: "agent" | "user";
  readonly sessionId: string;
  readonly token: string;
  /** Why the token that was shown is not good any more. */
  readonly staleness: string | undefined;
}

/** Why nobody comes in; always fatal. */
export interface Turnaway {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Decides about a HELLO (docs/wire/relay.md#handshake, docs/wire/relay.md#resume) and notes who came. */
export function greet(envelope: Envelope, options: GreetOptions): Greeting | Turnaway {
  const { registry, admission, now } = options;
  if (!isEnvelopeOf(envelope, "HELLO")) {
    return turnaway(
      ErrorCode.BAD_REQUEST,
      "Frame error: HELLO needs a payload with `agent`, the name to connect under",
    );
  }
  const hello = envelope.payload;
  const isProven = admission.verify(hello);
  if (!admission.isTrusted && !isProven) {
    const message =
      "HELLO proves nothing: connect through the unix socket, or put a proof or a ticket into its payload.";
    return turnaway(ErrorCode.UNAUTHORIZED, message);
  }
  const { agent: name } = hello;
  if (isReservedName(name) && !(hello._isSystemComponent === true && isProven)) {
    return turnaway(ErrorCode.BAD_REQUEST, `Agent name "${name}" is reserved for system use`);
  }
  const fault = agentNameFault(name);
  if (fault !== undefined) return turnaway(ErrorCode.BAD_REQUEST, fault);
  admission.onAdmitted();
  const entityType = hello.entityType === "user" ? "user" : "agent";
  const address = addressFor(name, entityType);
  const session = sessionOf(address, hello.session?.resume_token, options);
  registry.arrived(address, recordOf(hello, entityType, now), session.made);
  return { hello, entityType, sessionId: session.id, token: session.token, staleness: session.staleness };
}

/** The session that the token resumes, else a new one. */
function sessionOf(address: string, token: string | undefined, { registry, mailboxes }: GreetOptions) {
  const known = token === undefined ? undefined : registry.sessionOf(address, token);
  const hasLost = mailboxes.takeLoss(address);
  if (token !== undefined && known !== undefined && !hasLost) {
    return { id: known, token, made: undefined, staleness: undefined };
  }
  const { tokenHash, ...made } = registry.createSession();
  const stale =
    known === undefined
      ? "Resume token rejected; starting new session"
      : "Messages of this session were dropped by age; starting new session";
  return { ...made, made: { id: made.id, tokenHash }, staleness: token === undefined ? undefined : stale };
}

function turnaway(code: ErrorCode, message: string): Turnaway {
  return { code, message };
}
