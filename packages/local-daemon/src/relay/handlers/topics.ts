import { ErrorCode } from "@daemon-sdk/protocol/relay";
import type { HandlerGroup } from "../router.js";
import type { RelayParts } from "./relay-parts.js";

/**
 * SUBSCRIBE and UNSUBSCRIBE (docs/wire/relay.md#broadcasts-and-topics). A subscription outlives its connection, unless
 * that said BYE.
 */
export function topicHandlers({ topics }: Pick<RelayParts, "topics">): HandlerGroup {
  return {
    handlers: {
      SUBSCRIBE: (peer, { id, topic }) => {
        if (topic === undefined) {
          peer.refuse(ErrorCode.BAD_REQUEST, "SUBSCRIBE has no topic: set the envelope's `topic`.", { refId: id });
        } else if (!topics.subscribe(peer.name, topic)) {
          peer.refuse(ErrorCode.BAD_REQUEST, "Too many topics: unsubscribe from some, or use one for all.", {
            refId: id,
          });
        }
      },
      UNSUBSCRIBE: (peer, { topic }) => {
        if (topic !== undefined) topics.unsubscribe(peer.name, topic);
      },
    },
    onGone: ({ name }, { isPolite }) => {
      if (isPolite) topics.drop(name);
    },
  };
}
