import { isRecord } from "@daemon-sdk/protocol";
import { type Envelope, ErrorCode, isEnvelopeOf, isMessageType, type MessageType } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "./names/index.js";
import type { RelayHandler, RelayHandlers } from "./relay-services.js";

/** Hands each envelope of an active connection to the handler of its type, once its payload was checked. */
export class Router {
  readonly #handlers = new Map<MessageType, RelayHandler>();

  constructor(handlers: readonly RelayHandlers[]) {
    for (const group of handlers) {
      for (const [type, handler] of Object.entries(group)) {
        // Which handler stands under which type is checked where each group is written.
        if (isMessageType(type)) this.#handlers.set(type, handler as RelayHandler);
      }
    }
  }

  /** Types nobody handles are ignored, and the connection stays open (docs/wire/relay.md#envelope). */
  route(peer: RelayPeer, envelope: Envelope): void {
    const { type, id } = envelope;
    if (type === "HELLO") {
      peer.refuse(ErrorCode.BAD_REQUEST, "Unexpected HELLO", { refId: id });
      return;
    }
    if (!isMessageType(type)) return;
    const handler = this.#handlers.get(type);
    if (handler === undefined) return;
    if (isEnvelopeOf(envelope, type)) handler(peer, envelope);
    else this.#refusePayload(peer, envelope);
  }

  #refusePayload(peer: RelayPeer, { type, id, payload_meta: meta }: Envelope): void {
    const sync: unknown = meta === undefined ? undefined : Reflect.get(meta, "sync");
    if (type === "SEND" && isRecord(sync) && sync.blocking === true && typeof sync.correlationId !== "string") {
      peer.refuse(ErrorCode.INTERNAL, "Missing sync correlationId for blocking SEND", { refId: id });
      return;
    }
    const message = `The payload of this ${type} (${id}) is not what the type promises; it was ignored. See docs/protocol.md.`;
    peer.refuse(ErrorCode.BAD_REQUEST, message, { refId: id });
  }
}
