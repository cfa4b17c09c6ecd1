import { lstatSync } from "node:fs";
import type { ListenOptions, Server } from "node:net";
import { ConnectionError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** TCP is for programs of this machine only. */
const HOST = "127.0.0.1";

/**
 * Binds `server` to a unix socket of mode 0600 from birth: there is no moment in which another user could connect.
 *
 * Rejects with `DAEMON_START_FAILED`.
 */
export async function bindUnix(server: Server, path: string): Promise<Server> {
  if (Buffer.byteLength(path) > SERVING_LIMITS.socketPathBytes) {
    throw failure(
      `the socket ${path}`,
      `its path is longer than ${SERVING_LIMITS.socketPathBytes} bytes. Use a shorter DAEMON_SDK_HOME`,
    );
  }
  // `listen` binds before it returns, so nothing else of this process runs under the tighter umask.
  const umask = process.umask(0o177);
  let listening: Promise<Server>;
  try {
    listening = listen(server, { path }, `the socket ${path}`);
  } finally {
    process.umask(umask);
  }
  await listening;
  const mode = lstatSync(path).mode & 0o777;
  if (mode === 0o600) return server;
  server.close();
  throw failure(
    `the socket ${path}`,
    `it came out with mode ${mode.toString(8)} instead of 600. Use another file system`,
  );
}

/** Binds `server` to a port of 127.0.0.1 (0: any free one). Rejects with `DAEMON_START_FAILED`. */
export function bindTcp(server: Server, port: number): Promise<Server> {
  return listen(server, { host: HOST, port }, `port ${port} of ${HOST}`);
}

function listen(server: Server, address: ListenOptions, what: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error & { code?: string }) => {
      const isTaken = cause.code === "EADDRINUSE";
      reject(
        failure(
          what,
          isTaken ? "it is taken. Choose another, or stop the program that has it" : `${cause.code}`,
          cause,
        ),
      );
    };
    server.once("error", onError);
    // `exclusive`: inside a cluster worker the primary would bind it, under its own umask.
    server.listen({ ...address, backlog: SERVING_LIMITS.backlog, exclusive: true }, () => {
      server.off("error", onError);
      resolve(server);
    });
  });
}

function failure(what: string, why: string, cause?: Error): ConnectionError {
  return new ConnectionError("DAEMON_START_FAILED", `The daemon could not listen on ${what}: ${why}.`, { cause });
}
