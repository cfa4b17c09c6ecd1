import type { Channels } from "../groups/index.js";
import type { HandlerGroup } from "../router.js";

/**
 * CHANNEL_JOIN, CHANNEL_LEAVE and CHANNEL_MESSAGE (docs/wire/relay.md#channels-and-shadows,
 * docs/wire/relay.md#channels). Their only answers are refusals.
 */
export function channelHandlers(channels: Channels): HandlerGroup {
  return {
    handlers: {
      CHANNEL_JOIN: (peer, envelope) => channels.join(peer, envelope),
      CHANNEL_LEAVE: (peer, envelope) => channels.leave(peer, envelope),
      CHANNEL_MESSAGE: (peer, envelope) => channels.post(peer, envelope),
    },
    onActive: ({ name }) => channels.arrived(name),
    onGone: ({ name }) => channels.gone(name),
  };
}
