import type { TransportClose } from "@daemon-sdk/protocol";

/** The end of a link without a close frame. */
export const CUT: TransportClose = { clean: false, code: 1006, reason: "" };

/** Codes from 1002 to 2999 report a refusal or a failure (RFC 6455 §7.4). */
export function isPolite(code: number): boolean {
  return code < 1002 || code >= 3000;
}
