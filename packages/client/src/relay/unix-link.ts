import { connect, type Socket } from "node:net";
import { abortReason, ConnectionError } from "@daemon-sdk/protocol";
import type { ByteLink, ByteLinkEvents } from "@daemon-sdk/transport-ws";
import type { RelayDialRequest } from "./connection/index.js";

/** A unix socket as a {@link ByteLink}. */
class UnixLink implements ByteLink {
  readonly #socket: Socket;
  #fault: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#fault = error;
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(events: ByteLinkEvents): void {
    this.#socket.on("data", (chunk: Uint8Array) => events.onBytes(chunk));
    this.#socket.on("close", () => events.onEnded(this.#fault));
  }

  send(bytes: Uint8Array, onFlushed?: () => void): void {
    this.#socket.write(bytes, (error) => {
      if (!error) onFlushed?.();
    });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/**
 * Opens a unix socket, once. Rejects with CONNECTION_FAILED (no daemon listens there), CONNECT_TIMEOUT, or the reason of
 * `signal`.
 */
export function dialUnixSocket(path: string, { signal, timeoutMs }: RelayDialRequest): Promise<ByteLink> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortReason(signal));
    const socket = connect({ path });
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      if (error === undefined) {
        resolve(new UnixLink(socket));
        return;
      }
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => settle(connectFailed(path, cause));
    const onAbort = (): void => settle(abortReason(signal));
    const timer = setTimeout(() => settle(timedOut(path, timeoutMs)), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", () => settle());
  });
}

function connectFailed(path: string, cause: Error): ConnectionError {
  return new ConnectionError(
    "CONNECTION_FAILED",
    `Could not connect to ${path}: ${cause.message}. Is a daemon running?`,
    {
      cause,
    },
  );
}

function timedOut(path: string, timeoutMs: number): ConnectionError {
  return new ConnectionError("CONNECT_TIMEOUT", `${path} did not accept the connection within ${timeoutMs} ms.`);
}
