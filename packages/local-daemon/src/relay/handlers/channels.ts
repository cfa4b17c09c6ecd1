import type { Channels } from "../groups/index.js";
import type { RelayHandlers } from "../relay-services.js";

/**
 * CHANNEL_JOIN, CHANNEL_LEAVE and CHANNEL_MESSAGE (docs/wire/relay.md#channels-and-shadows,
 * docs/wire/relay.md#channels). None of them has an answer but a refusal.
 */
export function channelHandlers(channels: Channels): RelayHandlers {
  return {
    CHANNEL_JOIN: (peer, envelope) => channels.join(peer, envelope),
    CHANNEL_LEAVE: (peer, envelope) => channels.leave(peer, envelope),
    CHANNEL_MESSAGE: (peer, envelope) => channels.post(peer, envelope),
  };
}
