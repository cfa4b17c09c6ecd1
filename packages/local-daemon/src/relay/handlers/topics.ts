import { ErrorCode } from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { RelayPeer } from "../names/index.js";
import { PresenceFeed } from "../presence-feed.js";
import type { HandlerGroup } from "../router.js";
import type { RelayParts } from "./relay-parts.js";

/**
 * SUBSCRIBE and UNSUBSCRIBE (docs/wire/relay.md#broadcasts-and-topics). A subscription outlives its connection, unless
 * that said BYE. A subscription to presence ends with the connection.
 */
export function topicHandlers({ topics, feed }: Pick<RelayParts, "topics" | "feed">): HandlerGroup {
  const subscribe = (peer: RelayPeer, topic: string) =>
    PresenceFeed.isTopic(topic) ? feed.subscribe(peer, topic) : topics.subscribe(peer.name, topic);
  return {
    handlers: {
      SUBSCRIBE: (peer, { id, topic }) => {
        if (topic === undefined) {
          peer.refuse(ErrorCode.BAD_REQUEST, "SUBSCRIBE has no topic: set the envelope's `topic`.", { refId: id });
        } else if (topic.length > MESSAGING_LIMITS.topicUnits) {
          const text = `A topic has at most ${MESSAGING_LIMITS.topicUnits} characters; this one has ${topic.length}.`;
          peer.refuse(ErrorCode.BAD_REQUEST, text, { refId: id });
        } else if (!subscribe(peer, topic)) {
          peer.refuse(ErrorCode.BAD_REQUEST, "Too many topics: unsubscribe from some, or use one for all.", {
            refId: id,
          });
        }
      },
      UNSUBSCRIBE: (peer, { topic }) => {
        if (topic === undefined) return;
        feed.unsubscribe(peer, topic);
        topics.unsubscribe(peer.name, topic);
      },
    },
    onGone: ({ name }, { isPolite }) => {
      if (isPolite) topics.drop(name);
    },
  };
}
