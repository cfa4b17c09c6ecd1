import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { connect as dial } from "@nats-io/transport-node";
import { BATCH, CALL_TEXT, EVENT } from "./payload.mjs";

/** Two hops: a process that answers and publishes, and the server between it and the client. */
export async function serve() {
  const port = await freePort();
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  process.once("exit", () => server.kill("SIGKILL"));
  const connection = await dial({ servers: `127.0.0.1:${port}`, waitOnFirstConnect: true, reconnectTimeWait: 50 });
  connection.subscribe("call", { callback: (_error, message) => message.respond(message.data) });
  connection.subscribe("flood", {
    async callback(_error, message) {
      const { count, subject } = message.json();
      const text = JSON.stringify(EVENT);
      for (let sent = 0; sent < count; ) {
        for (const end = Math.min(sent + BATCH, count); sent < end; sent += 1) connection.publish(subject, text);
        if (sent % (BATCH * 16) === 0) await connection.flush();
      }
    },
  });
  return `127.0.0.1:${port}`;
}

export async function connect(servers) {
  const connection = await dial({ servers });
  let subscription;
  const flood = (subject, count) => connection.publish("flood", JSON.stringify({ count, subject }));
  return {
    call: () => connection.request("call", CALL_TEXT),
    flood(count, onEvent) {
      subscription?.unsubscribe();
      subscription = connection.subscribe("event", {
        callback: (_error, message) => {
          message.json();
          onEvent();
        },
      });
      flood("event", count);
    },
    async floodIterated(count, onEvent) {
      const iterated = connection.subscribe("iterated", { max: count });
      flood("iterated", count);
      for await (const message of iterated) {
        message.json();
        onEvent();
      }
    },
    close: () => connection.close(),
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
