import { CloseCode, LIMITS, type Transport } from "@daemon-sdk/protocol";

/** The same bound as the daemon's for one client. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Joins two links: messages and the end of one are sent on the other.
 *
 * A transport cannot be told to stop reading, so a reader that is slower than its daemon is held back by the credit of its
 * sessions (docs/protocol.md, §9). One that has none and lets more than `maxWaitingBytes` pile up here is cut off as the daemon
 * would do it.
 */
export function joinTransports(
  one: Transport,
  other: Transport,
  maxWaitingBytes: number = BUFFER_BYTES + LIMITS.sessionFrameBytes,
): void {
  forward(one, other, maxWaitingBytes);
  forward(other, one, maxWaitingBytes);
}

/** Joins a client with a daemon that has yet to be dialled; a client that leaves in between leaves nothing behind. */
export async function joinWithDaemon(client: Transport, dialDaemon: () => Promise<Transport>): Promise<void> {
  let hasLeft = false;
  client.onClose = () => {
    hasLeft = true;
  };
  try {
    const daemon = await dialDaemon();
    if (hasLeft) daemon.terminate();
    else joinTransports(client, daemon);
  } catch {
    client.close(CloseCode.internalError, "the daemon cannot be reached");
  }
}

function forward(from: Transport, to: Transport, maxWaitingBytes: number): void {
  from.onMessage = (text) => {
    if (to.send(text) || to.bufferedBytes < maxWaitingBytes) return;
    from.close(CloseCode.slowConsumer, "the other side does not read");
    to.terminate();
  };
  from.onClose = ({ code, reason }) => {
    // 1006 means that no close frame was received, so it cannot be sent: the link is cut.
    if (code === 1006) to.terminate();
    else to.close(code, reason);
  };
}
