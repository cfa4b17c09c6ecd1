import { Agent as HttpAgent } from "node:http";
import { Agent } from "node:https";
import { joinTransports } from "@daemon-sdk/protocol";
import { FakeDaemon } from "@daemon-sdk/testing";
import { acceptWebSocket } from "@daemon-sdk/transport-ws";
import { expect, test } from "vitest";
import { CERTIFICATE, TlsServer } from "../../../../test/support/tls-server.js";
import { connectDaemon } from "../../src/index.js";
import { rejection } from "../support.js";

const signal = new AbortController().signal;

test("`agent` opens the sockets of wss:, with certificates and addresses of its own", async () => {
  const daemon = new FakeDaemon();
  await using server = await TlsServer.open(async (request, socket, head) => {
    joinTransports(await acceptWebSocket(request, socket, head), daemon.dial({ url: "", signal }));
  });
  const agent = new Agent({
    ca: CERTIFICATE,
    lookup: (_, options, found) =>
      options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4),
  });
  const connection = await connectDaemon({ url: server.url, apiKey: "fk", agent });
  expect(await connection.run("hello")).toMatchObject({ success: true });
  await connection.close();
});

test("the name of an agent is refused before a daemon is looked for", async () => {
  const error = await rejection(connectDaemon({ agent: "claude" as never }));
  expect(error).toMatchObject({ code: "INVALID_OPTION", option: "agent" });
});

test.each([
  ["an agent for the other scheme", new HttpAgent()],
  ["what is no agent", {} as HttpAgent],
])("%s is refused at once", async (_, agent) => {
  const error = await rejection(connectDaemon({ url: "wss://daemon.test/", apiKey: "fk", agent }));
  expect(error).toMatchObject({ code: "INVALID_OPTION", option: "agent" });
});
