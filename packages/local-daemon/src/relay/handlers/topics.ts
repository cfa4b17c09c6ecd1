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
  const refusal = (peer: RelayPeer, topic: string | undefined) => {
    if (topic === undefined) return "SUBSCRIBE has no topic: set the envelope's `topic`.";
    const { topicUnits } = MESSAGING_LIMITS;
    if (topic.length <= topicUnits) return subscribe(peer, topic);
    return `A topic has at most ${topicUnits} characters; this one has ${topic.length}.`;
  };
  return {
    handlers: {
      SUBSCRIBE: (peer, { id, topic }) => {
        const fault = refusal(peer, topic);
        if (fault !== undefined) peer.refuse(ErrorCode.BAD_REQUEST, fault, { refId: id });
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
