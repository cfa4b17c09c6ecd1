import type { SendMeta } from "@daemon-sdk/protocol/relay";
import { type ShadowTable, shadowPayload } from "../groups/index.js";
import type { Post } from "../mailboxes/index.js";
import type { RelayHandlers, RelayServices, RoutedSend } from "../relay-services.js";

/** What shadows need of the relay. */
export type ShadowServices = Pick<RelayServices, "directory" | "routeHooks">;

/**
 * SHADOW_BIND and SHADOW_UNBIND (docs/wire/relay.md#shadows). From then on each routed SEND leads to copies, stored
 * with it.
 *
 * A shadow that has gone is unbound; a primary that has gone keeps its shadows.
 */
export function shadowHandlers(services: ShadowServices, table: ShadowTable): RelayHandlers {
  services.routeHooks.push((send) => copies(table, send));
  services.directory.onGone(({ name }) => void table.drop(name));
  return {
    SHADOW_BIND: (peer, { payload }) => void table.bind(peer.name, payload),
    SHADOW_UNBIND: (peer, { payload }) => void table.unbind(peer.name, payload.primaryAgent),
  };
}

function copies(table: ShadowTable, send: RoutedSend): Post[] {
  return table.copiesOf(send).map((copy) => ({
    from: send.from,
    to: copy.shadow,
    payload: shadowPayload(send.payload, copy),
    topic: send.topic,
    payload_meta: withoutSync(send.payload_meta),
    originalTo: send.to,
    refId: send.refId,
  }));
}

/** A blocking SEND waits for its addressee; a shadow that answered, too, would answer for somebody else. */
function withoutSync(meta: SendMeta | undefined): SendMeta | undefined {
  if (meta?.sync === undefined) return meta;
  const { sync: _, ...rest } = meta;
  return rest;
}
