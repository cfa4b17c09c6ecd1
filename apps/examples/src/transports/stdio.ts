import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { CLIENT_LIMITS, ConnectionError, type Dial } from "@daemon-sdk/protocol";
import { StreamTransport } from "@daemon-sdk/transport-ws";
import type { LinkOptions } from "./link-options.js";

/**
 * Dials by starting a program whose stdin and stdout lead to a daemon, such as `ssh build-host daemon-bridge`
 * (stdio-bridge.ts is that program). One program for each connection; it ends with it. Its stderr is ours, so that people see
 * what it complains about, and can type a passphrase.
 */
export function dialCommand([program, ...args]: readonly [string, ...string[]], options: LinkOptions = {}): Dial {
  return async ({ signal }) => {
    signal.throwIfAborted();
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.once("close", () => endSoon(child));
    const failed = once(child, "exit").then(([code, by]) => {
      throw new ConnectionError(
        "CONNECTION_FAILED",
        `${program} ended before it had a daemon: ${code ?? by}. See stderr.`,
      );
    });
    try {
      // The program's first frame reports that it has found its daemon.
      await Promise.race([once(child.stdout, "readable", { signal }), failed]);
      if (child.stdout.readableLength === 0) await failed;
    } catch (cause) {
      child.kill();
      signal.throwIfAborted();
      if (ConnectionError.is(cause)) throw cause;
      throw new ConnectionError("CONNECTION_FAILED", `${program} could not be started: ${String(cause)}`, { cause });
    } finally {
      failed.catch(() => {});
    }
    return new StreamTransport({ ...options, input: child.stdout, output: child.stdin });
  };
}

/**
 * The link has ended; the program may still be passing on what was sent before that (T4). It ends by itself when it is done, or
 * when its stdin ends without a close frame; one that does neither is ended.
 */
function endSoon(child: ChildProcess): void {
  const timer = setTimeout(() => child.kill(), CLIENT_LIMITS.closeTimeoutMs).unref();
  child.once("exit", () => clearTimeout(timer));
}
