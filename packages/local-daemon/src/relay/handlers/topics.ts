import { ErrorCode } from "@daemon-sdk/protocol/relay";
import type { RelayCore } from "../relay-core.js";
import type { RelayHandlers } from "../relay-services.js";

/**
 * SUBSCRIBE and UNSUBSCRIBE (docs/wire/relay.md#broadcasts-and-topics). A subscription outlives its connection, unless
 * that said BYE.
 */
export function topicHandlers({ topics, directory }: RelayCore): RelayHandlers {
  directory.onGone(({ name }, { isPolite }) => {
    if (isPolite) topics.drop(name);
  });
  return {
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
  };
}
