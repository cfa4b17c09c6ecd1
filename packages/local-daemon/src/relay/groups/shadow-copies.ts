import type { SendMeta, SendPayload } from "@daemon-sdk/protocol/relay";
import type { Post } from "../mailboxes/index.js";
import type { ShadowCopy, ShadowTable } from "./shadow-table.js";

/** The posts that one SEND causes for shadows (docs/wire/relay.md#shadows). `send.to` is the address that the SEND names. */
export function shadowCopies(table: ShadowTable, send: Post): Post[] {
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

/** The payload of a copy: the message's own, with the marks of a copy (docs/wire/relay.md#shadows). */
export function shadowPayload(payload: SendPayload, { primary, direction }: ShadowCopy): SendPayload {
  return {
    ...payload,
    data: { ...payload.data, _shadowCopy: true, _shadowOf: primary, _shadowDirection: direction },
  };
}

/** Without the mark of a blocking SEND, which only its addressee may answer. */
function withoutSync(meta: SendMeta | undefined): SendMeta | undefined {
  if (meta?.sync === undefined) return meta;
  const { sync: _, ...rest } = meta;
  return rest;
}
