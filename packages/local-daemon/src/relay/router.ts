import { isRecord } from "@daemon-sdk/protocol";
import {
  type Envelope,
  ErrorCode,
  isEnvelopeOf,
  isMessageType,
  type MessageType,
  type RelayEnvelope,
} from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "./names/index.js";
import type { ConnectedPeer } from "./wire/index.js";

/** Handles envelopes of one type, whose payload was checked. A handler that throws closes the connection. */
export type RelayHandler<Type extends MessageType = MessageType> = (
  peer: ConnectedPeer,
  envelope: RelayEnvelope<Type>,
) => void;

/** Handlers by type. */
export type RelayHandlers = { readonly [Type in MessageType]?: RelayHandler<Type> };

/** How the last connection of a name ended. */
export interface Departure {
  /** The peer said BYE: its subscriptions end with it. Otherwise it may connect again, and finds everything as it was. */
  readonly isPolite: boolean;
}

/** The handlers of one subject, and what the subject does when peers come and go. */
export interface HandlerGroup {
  readonly handlers: RelayHandlers;
  /** A peer has become active; its WELCOME was written. */
  onActive?(peer: RelayPeer): void;
  /** A peer's connection has ended. */
  onLeft?(peer: RelayPeer): void;
  /** The last connection of a name has ended. Not called when a newcomer of the same name has replaced it. */
  onGone?(peer: RelayPeer, departure: Departure): void;
  /** The relay ends; its connections are closed already. */
  onStop?(): Promise<void> | void;
}

/** Hands each envelope of an active peer to the handler of its type, once its payload was checked. */
export class Router {
  readonly #handlers = new Map<MessageType, RelayHandler>();

  /** @param groups one type has one handler in them */
  constructor(groups: readonly HandlerGroup[]) {
    for (const { handlers } of groups) {
      for (const [type, handler] of Object.entries(handlers)) {
        // That a handler fits its type was checked where the group was written.
        if (isMessageType(type)) this.#handlers.set(type, handler as RelayHandler);
      }
    }
  }

  /** An envelope of a type without a handler is ignored, and the connection stays open (docs/wire/relay.md#envelope). */
  route(peer: ConnectedPeer, envelope: Envelope): void {
    const { type, id } = envelope;
    if (type === "HELLO") {
      peer.refuse(ErrorCode.BAD_REQUEST, "Unexpected HELLO", { refId: id });
      return;
    }
    if (!isMessageType(type)) return;
    const handler = this.#handlers.get(type);
    if (handler === undefined) return;
    if (isEnvelopeOf(envelope, type)) handler(peer, envelope);
    else refusePayload(peer, envelope);
  }
}

function refusePayload(peer: RelayPeer, { type, id, payload_meta: meta }: Envelope): void {
  const sync: unknown = meta === undefined ? undefined : Reflect.get(meta, "sync");
  if (type === "SEND" && isRecord(sync) && sync.blocking === true && typeof sync.correlationId !== "string") {
    peer.refuse(ErrorCode.INTERNAL, "Missing sync correlationId for blocking SEND", { refId: id });
    return;
  }
  const message = `The payload of this ${type} (${id}) is not what the type promises; it was ignored. See docs/protocol.md.`;
  peer.refuse(ErrorCode.BAD_REQUEST, message, { refId: id });
}
