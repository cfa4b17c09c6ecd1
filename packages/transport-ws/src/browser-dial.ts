import { CLIENT_LIMITS, InvalidOptionError, MachineType } from "@daemon-sdk/protocol";
import { BrowserByteLink } from "./browser-byte-link.js";
import { BrowserLink } from "./browser-link.js";
import type { ByteLink } from "./byte-link.js";
import { attempt } from "./dial-attempt.js";
import { dialFailed, dialTimedOut } from "./dial-errors.js";
import type { DialBytesOptions, DialWebSocketOptions } from "./dial-options.js";
import { dialTarget } from "./dial-target.js";
import { RETRY_SCHEDULES } from "./retry.js";
import { WebSocketTransport } from "./web-socket-transport.js";

/**
 * Opens the browser's own WebSocket: one attempt. Wrap it in `dialWithRetry` for more.
 *
 * Rejects as the Node version does, but never with `AUTH_REJECTED`, because a page gets no reason of a failed connection.
 * `headers`, `agent`, `ca` and `onUpgrade` are refused: a page can neither set nor read headers, nor choose its way to a host, nor
 * whom its browser trusts.
 */
export async function dialWebSocket(url: string, options: DialWebSocketOptions = {}): Promise<WebSocketTransport> {
  return dial(url, options, (socket, maxMessageBytes) => {
    return new WebSocketTransport(new BrowserLink(socket, maxMessageBytes), options);
  });
}

/**
 * Opens the browser's own WebSocket for a stream of bytes in binary messages, such as the relay wire at `/relay`: one
 * attempt. Rejects as {@link dialWebSocket} does. `start` the link in the tick in which the promise resolves.
 */
export async function dialBytes(url: string, options: DialBytesOptions = {}): Promise<ByteLink> {
  return dial(url, options, (socket) => new BrowserByteLink(socket));
}

async function dial<Link>(
  url: string,
  options: DialWebSocketOptions,
  makeLink: (socket: WebSocket, maxMessageBytes: number) => Link,
): Promise<Link> {
  for (const option of ["headers", "agent", "ca", "onUpgrade"] as const) {
    if (options[option] !== undefined) throw new InvalidOptionError(option, "absent in a browser");
  }
  const target = dialTarget(url, ["ws:", "wss:"]);
  const { timeoutMs = RETRY_SCHEDULES[MachineType.Local].attemptTimeoutMs, signal } = options;
  const maxMessageBytes = options.maxMessageBytes ?? CLIENT_LIMITS.sessionFrameBytes;
  const bounds = { signal, timeoutMs, timedOut: () => dialTimedOut(target.label, timeoutMs) };
  return attempt<Link>(bounds, ({ succeed, fail }) => {
    const refuse = (why: string): void => fail(dialFailed(target.label, why));
    let socket: WebSocket;
    try {
      socket = new WebSocket(target.url);
    } catch {
      // Not the browser's own text, which quotes the whole URL.
      refuse("the browser refused it (over HTTPS only wss: is allowed)");
      return () => {};
    }
    socket.addEventListener("open", () => {
      succeed(makeLink(socket, maxMessageBytes));
    });
    socket.addEventListener("close", ({ code }) => refuse(`closed before it was open (code ${code})`));
    socket.addEventListener("error", () => refuse("no reason given"));
    return () => socket.close();
  });
}
