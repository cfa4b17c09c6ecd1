import { connect } from "node:net";
import { expect, test } from "vitest";
import { openGateway } from "../support/gateway.js";
import { listen } from "../support/listen.js";

const headers = { authorization: "Bearer good" };

test("a client that goes away leaves no stream and no waiting call behind, whether or not it read", async () => {
  await using gateway = await openGateway({ streamsPerPrincipal: 1 });
  await using server = await listen(gateway.handler);
  const { id } = gateway.daemon.addSession();
  const url = new URL(`/sessions/${id}/events`, server.baseUrl);
  const isFree = async () => {
    const going = new AbortController();
    const { status } = await fetch(url, { headers, signal: going.signal });
    going.abort();
    return status === 200;
  };
  for (let time = 0; time < 5; time++) {
    await expect.poll(isFree).toBe(true);
    // Sends its request and is gone before anything is answered.
    await new Promise<void>((resolve) => {
      const socket = connect(Number(url.port), "127.0.0.1", () => {
        socket.write(`GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer good\r\n\r\n`);
        socket.destroySoon();
        socket.on("close", () => resolve());
      });
    });
  }
  await expect.poll(isFree).toBe(true);
});

test("a client that stops reading its socket does not make the gateway read on", async () => {
  await using gateway = await openGateway();
  await using server = await listen(gateway.handler);
  const { id } = gateway.daemon.addSession();
  const piece = "x".repeat(64 * 1024);
  gateway.daemon.onPrompt((prompt) => {
    for (let count = 0; count < 400; count++) prompt.delta(piece);
    prompt.message("done");
  });
  const url = new URL(`/sessions/${id}/events?partial=true`, server.baseUrl);
  const socket = connect(Number(url.port), "127.0.0.1");
  socket.pause();
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer good\r\n\r\n`);
  const { messageId } = await gateway.connection.send(id, "go");
  await gateway.connection.waitForReceipt(id, messageId);
  const pages = () => gateway.daemon.received.calls("get_session_events").length;
  let before = -1;
  await expect
    .poll(() => {
      const [last, now] = [before, pages()];
      before = now;
      return now === last;
    })
    .toBe(true);
  // 25 MiB are in the journal; what the sockets hold is a part of it.
  expect(pages()).toBeGreaterThan(1);
  expect(pages()).toBeLessThan(10);
  socket.destroy();
});
