import type { ShadowTable } from "../groups/index.js";
import type { HandlerGroup } from "../router.js";

/**
 * SHADOW_BIND and SHADOW_UNBIND (docs/wire/relay.md#shadows). From then on each routed SEND causes copies, stored in its
 * transaction.
 *
 * A shadow that has left is unbound; a primary that has left keeps its shadows.
 */
export function shadowHandlers(table: ShadowTable): HandlerGroup {
  return {
    handlers: {
      SHADOW_BIND: (peer, { payload }) => void table.bind(peer.name, payload),
      SHADOW_UNBIND: (peer, { payload }) => void table.unbind(peer.name, payload.primaryAgent),
    },
    onGone: ({ name }) => void table.drop(name),
  };
}
