import { ErrorCode } from "@daemon-sdk/protocol/relay";
import type { ShadowTable } from "../groups/index.js";
import type { HandlerGroup } from "../router.js";

const NO_COPIES =
  "Copies of another's messages are for programs that have proven to act for the person: connect with a ticket of the person.";

/**
 * SHADOW_BIND and SHADOW_UNBIND (docs/wire/relay.md#shadows). From then on each routed SEND causes copies, stored in its
 * transaction.
 *
 * A shadow that has left is unbound; a primary that has left keeps its shadows.
 */
export function shadowHandlers(table: ShadowTable): HandlerGroup {
  return {
    handlers: {
      SHADOW_BIND: (peer, { id, payload }) => {
        if (peer.actsForPerson) table.bind(peer.name, payload);
        else peer.refuse(ErrorCode.UNAUTHORIZED, NO_COPIES, { refId: id });
      },
      SHADOW_UNBIND: (peer, { payload }) => void table.unbind(peer.name, payload.primaryAgent),
    },
    onGone: ({ name }) => void table.drop(name),
  };
}
