import { LIMITS } from "../limits/index.js";
import { CloseCode } from "./close-codes.js";
import type { Transport, TransportClose } from "./transport.js";

/** Options of {@link joinTransports}. */
export interface JoinTransportsOptions {
  /** Bytes that may wait for one end; above them both links end. Default `LIMITS.joinedWaitingBytes`. */
  readonly maxWaitingBytes?: number;
}

/** Codes that are reported and never sent: without a code, without a close frame, a failed TLS handshake (RFC 6455 §7.4.1). */
const NO_CODE = 1005;
const CUT_CODES: ReadonlySet<number> = new Set([1006, 1015]);

/**
 * Joins two links: what arrives on one is sent on the other, and the end of one ends the other with the same code and reason. For
 * gateways, bridges and workers that stand between a client and its daemon.
 *
 * `other` may still be on its way, as the promise of a dial. Until it is there, the messages of `one` wait in its link. When the
 * promise rejects, `one` is closed with `CloseCode.internalError`; when `one` ends first, `other` is terminated as soon as it is
 * there.
 *
 * A `Transport` has no way to pause its sender. A reader that is slower than its daemon is held back by the credit of its sessions.
 * One without credit that lets more than `maxWaitingBytes` wait here is closed with `CloseCode.slowConsumer`, as the daemon would
 * close it.
 *
 * Sets `onMessage` and `onClose` of both, so neither may have another owner. Neither link is authenticated here: the daemon asks
 * for a credential of the client, through the joined links.
 */
export function joinTransports(
  one: Transport,
  other: Transport | Promise<Transport>,
  { maxWaitingBytes = LIMITS.joinedWaitingBytes }: JoinTransportsOptions = {},
): void {
  if (!("then" in other)) {
    forward(one, other, maxWaitingBytes);
    forward(other, one, maxWaitingBytes);
    return;
  }
  let hasEnded = false;
  one.onClose = () => {
    hasEnded = true;
  };
  other.then(
    (dialed) => (hasEnded ? dialed.terminate() : joinTransports(one, dialed, { maxWaitingBytes })),
    () => one.close(CloseCode.internalError, "the other side cannot be reached"),
  );
}

function forward(from: Transport, to: Transport, maxWaitingBytes: number): void {
  from.onMessage = (text) => {
    if (to.send(text) || to.bufferedBytes < maxWaitingBytes) return;
    // The cut is this side's: it must not overtake the close that states the reason.
    to.onClose = undefined;
    to.terminate();
    from.close(CloseCode.slowConsumer, "the other side does not read");
  };
  from.onClose = ({ code, reason }: TransportClose) => {
    if (CUT_CODES.has(code)) to.terminate();
    else to.close(code === NO_CODE ? CloseCode.normal : code, reason);
  };
}
