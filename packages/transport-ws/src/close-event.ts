import { CloseCode, ConnectionError, ProtocolError, type TransportClose } from "@daemon-sdk/protocol";

/** Codes by which one side says that it did not take what the other sent (RFC 6455 §7.4.1). */
const REFUSALS: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009]);

/** Reported when the link ended without a closing handshake; never sent (RFC 6455 §7.1.5). */
const ABNORMAL = 1006;

/** Longest reason that fits a close frame beside its code (RFC 6455 §5.5). */
const REASON_BYTES = 123;

/**
 * Codes that a page may not send, and what it sends instead: browsers allow 1000 and 3000–4999 only. Read back on the
 * other side, so a browser's refusal looks like anybody's.
 */
const PAGE_CODES: ReadonlyMap<number, number> = new Map([
  [1002, 4002],
  [ABNORMAL, 4006],
  [1009, 4009],
]);
const FROM_PAGE: ReadonlyMap<number, number> = new Map([...PAGE_CODES].map(([code, sent]) => [sent, code]));

/** The code a page can send for `code`. */
export function pageCode(code: number): number {
  if (code >= 3000 && code <= 4999) return code;
  return PAGE_CODES.get(code) ?? CloseCode.normal;
}

/** The close of a link as every transport tells it. Clean: the handshake was completed, and not to refuse a message. */
export function closeEvent(sentCode: number, reason: string, handshakeDone: boolean): TransportClose {
  const code = FROM_PAGE.get(sentCode) ?? sentCode;
  return { clean: handshakeDone && code !== ABNORMAL && !REFUSALS.has(code), code, reason };
}

/** The close of a link that was cut, by whomever. */
export function cutEvent(cause?: unknown): TransportClose {
  if (cause === undefined) return { clean: false, code: ABNORMAL, reason: "" };
  const text = cause instanceof Error ? cause.message : String(cause);
  const error = new ConnectionError("CONNECTION_LOST", `The WebSocket broke: ${text}. Connect again.`, { cause });
  return { clean: false, code: ABNORMAL, reason: "", error };
}

/** The close of a link whose peer sent more in one message than this side takes (law T11). */
export function tooLargeEvent(maxMessageBytes: number, cause?: unknown): TransportClose {
  const error = new ProtocolError(
    "MESSAGE_TOO_LARGE",
    `The peer sent a message over ${maxMessageBytes} bytes, so the connection was closed. Raise maxMessageBytes here, or send less there.`,
    { cause },
  );
  return { clean: false, code: 1009, reason: "", error };
}

/** The close of a link whose peer broke the rules of WebSocket itself. */
export function violationEvent(code: number, cause: Error): TransportClose {
  const error = new ProtocolError(
    "PROTOCOL_VIOLATION",
    `The peer broke the WebSocket protocol: ${cause.message}. The connection was closed.`,
    { cause },
  );
  return { clean: false, code, reason: "", error };
}

/** `reason` cut to what a close frame can carry, between characters. */
export function fitReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(REASON_BYTES));
  return reason.slice(0, read);
}
