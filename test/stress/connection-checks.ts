import assert from "node:assert/strict";
import { createServer } from "node:net";
import { connectDaemon } from "@daemon-sdk/client";
import { ConnectionError, SessionNotFoundError } from "@daemon-sdk/protocol";
import { collect, openSession, resultOf, type StressCheck, within } from "./check.js";

const SOON_MS = 1_000;
const RETRIES_MS = 12_500;

export const connectionChecks: readonly StressCheck[] = [
  {
    title: "connect and authenticate: over the unix socket by proof, over TCP by proof, over TCP by token",
    async run({ daemon }) {
      for (const options of [{}, { daemonPort: daemon.port }, { url: daemon.url, token: daemon.token }]) {
        await using connection = await connectDaemon(options);
        const sessions = await connection.listOpenedSessions();
        assert.ok(Array.isArray(sessions));
      }
    },
  },
  {
    title: "unknown session: resuming it fails with SESSION_NOT_FOUND, and the connection goes on",
    async run(ground) {
      const unknown = "6f1c1d5e-0000-4000-8000-000000000000";
      await assert.rejects(ground.connection.resumeSession(unknown), (error) => SessionNotFoundError.is(error));
      await using session = await openSession(ground);
      assert.equal(resultOf(await collect(session, "say still here")).subtype, "success");
    },
  },
  {
    title: "refused port: connecting fails with a typed error once the retries are used up",
    async run() {
      const port = await freePort();
      const url = `ws://127.0.0.1:${port}`;
      const started = performance.now();
      await assert.rejects(connectDaemon({ url, apiKey: "fk-any" }), (error) =>
        ConnectionError.is(error, "CONNECTION_FAILED"),
      );
      // Five retries, 12.5 s in all, less or more by jitter: the daemon may just be starting.
      assert.ok(performance.now() - started < 2 * RETRIES_MS, "it gives up after its retries");
    },
  },
  {
    title: "wrong token: refused as AUTH_REJECTED, once, without a retry",
    async run({ daemon }) {
      const started = performance.now();
      const attempt = connectDaemon({ url: daemon.url, token: "not-the-token", maxRetries: 3 });
      await assert.rejects(attempt, (error) => ConnectionError.is(error, "AUTH_REJECTED"));
      assert.ok(performance.now() - started < SOON_MS, "a refusal is not retried");
    },
  },
  {
    title: "connection close in mid-stream: the stream ends within a second, with a typed reason",
    async run({ daemon }) {
      const connection = await connectDaemon({ url: daemon.url, token: daemon.token });
      const session = await connection.createSession({ cwd: daemon.workspace });
      const streaming = (async () => {
        for await (const event of session.stream("count 1000 every 20", { includePartialMessages: true })) {
          if (event.type === "assistant_text_delta") await connection.close();
        }
      })();
      await assert.rejects(within(10 * SOON_MS, streaming), (error) => ConnectionError.is(error, "CONNECTION_CLOSED"));
      await using again = await connectDaemon();
      await again.interruptSession(session.sessionId);
    },
  },
];

/** A port nobody listens on: one that the system just gave and took back. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 1;
}
