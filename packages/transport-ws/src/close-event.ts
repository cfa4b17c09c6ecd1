import { CloseCode, ConnectionError, ProtocolError, type TransportClose } from "@daemon-sdk/protocol";

/** Codes with which one side refuses data of the other (RFC 6455 §7.4.1). */
const REFUSALS: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009]);

/** Reported when the link ended without a closing handshake; never sent (RFC 6455 §7.1.5). */
const ABNORMAL = 1006;

/** Longest reason that fits a close frame beside its code (RFC 6455 §5.5). */
const REASON_BYTES = 123;

/**
 * Codes that a page may not send, each with its substitute: browsers allow 1000 and 3000–4999 only. The other side maps the
 * substitute back.
 */
const PAGE_CODES: ReadonlyMap<number, number> = new Map([
  [1002, 4002],
  [ABNORMAL, 4006],
  [1009, 4009],
]);
const FROM_PAGE: ReadonlyMap<number, number> = new Map([...PAGE_CODES].map(([code, sent]) => [sent, code]));

/** The code that a page can send for `code`. */
export function pageCode(code: number): number {
  if (code >= 3000 && code <= 4999) return code;
  return PAGE_CODES.get(code) ?? CloseCode.normal;
}

/** The close event of a link. Clean if the closing handshake was completed, and not with a refusal. */
export function closeEvent(sentCode: number, reason: string, handshakeDone: boolean): TransportClose {
  const code = FROM_PAGE.get(sentCode) ?? sentCode;
  return { clean: handshakeDone && code !== ABNORMAL && !REFUSALS.has(code), code, reason };
}

/** The close event of a link that was cut by either side or the network. */
export function cutEvent(cause?: unknown): TransportClose {
  if (cause === undefined) return { clean: false, code: ABNORMAL, reason: "" };
  const text = cause instanceof Error ? cause.message : String(cause);
  const error = new ConnectionError("CONNECTION_LOST", `The WebSocket broke: ${text}. Connect again.`, { cause });
  return { clean: false, code: ABNORMAL, reason: "", error };
}

/** The close event of a link whose peer sent a message over this side's limit (law T11). */
export function tooLargeEvent(maxMessageBytes: number, cause?: unknown): TransportClose {
  const error = new ProtocolError(
    "MESSAGE_TOO_LARGE",
    `The peer sent a message over ${maxMessageBytes} bytes. Raise maxMessageBytes here, or send less there.`,
    { cause },
  );
  return { clean: false, code: 1009, reason: "", error };
}

/** The close event of a link whose peer violated the WebSocket protocol. */
export function violationEvent(code: number, cause: Error): TransportClose {
  const error = new ProtocolError(
    "PROTOCOL_VIOLATION",
    `The peer broke the WebSocket protocol: ${cause.message}. The connection was closed.`,
    { cause },
  );
  return { clean: false, code, reason: "", error };
}

/** `reason` truncated between characters to fit a close frame. */
export function fitReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(REASON_BYTES));
  return reason.slice(0, read);
}
