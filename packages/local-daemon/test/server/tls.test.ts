import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { dirname, join } from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { fileURLToPath } from "node:url";
import { connectDaemon } from "@daemon-sdk/client";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { expect, test } from "vitest";
import type { DaemonConfig } from "../../src/server.js";
import { exchange } from "../listener/open-door.js";
import { TestClient } from "../sessions/harness.js";
import { agentConfig, type DaemonDesk, daemonDesk } from "./daemon-desk.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/tls", import.meta.url));
const CA = readFileSync(join(FIXTURES, "authority.pem"), "utf8");
const KEY = "a-key-over-tls-0123456789";
const HOST = "agents.example";

/** Puts a pair of the fixtures where the daemon reads its certificate. */
function certify(desk: DaemonDesk, name: "one" | "two") {
  const tls = { certFile: join(dirname(desk.stateDir), "cert.pem"), keyFile: join(dirname(desk.stateDir), "key.pem") };
  copyFileSync(join(FIXTURES, `${name}.cert.pem`), tls.certFile);
  copyFileSync(join(FIXTURES, `${name}.key.pem`), tls.keyFile);
  return tls;
}

/** A daemon whose port serves TLS. */
async function secured(desk: DaemonDesk, more: DaemonConfig = {}) {
  const tls = certify(desk, "one");
  const config = { ...agentConfig(), port: 0, apiKeys: [KEY], allowedHosts: [HOST], ...more, tls };
  const daemon = await desk.start(config);
  return { daemon, config, port: daemon.endpoint.port ?? 0 };
}

/** The name in the certificate that the port shows. */
function shown(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: CA }, () => {
      const { subject }: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(subject.CN);
    }).once("error", reject);
  });
}

const request = (host: string) => `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

test("a client that trusts the authority works over wss, and one that does not is refused with the reason", async () => {
  await using desk = daemonDesk();
  const { port } = await secured(desk);
  const url = `wss://localhost:${port}`;
  await using connection = await connectDaemon({ url, apiKey: KEY, ca: CA });
  const session = await connection.createSession({ cwd: desk.cwd });
  const text = "stream 300 of 1000";
  let result: { subtype?: string; text?: string } = {};
  for await (const event of session.stream(text)) if (event.type === "result") result = event;
  expect(result.subtype).toBe("success");
  expect(result.text?.length).toBe(300_000);
  const stranger = dialWebSocket(url);
  await expect(stranger).rejects.toMatchObject({
    code: "CONNECTION_FAILED",
    message: expect.stringMatching(/unable to verify the first certificate/),
  });
});

test("other hosts are served over TLS only; this machine's own addresses without it, too", async () => {
  await using desk = daemonDesk();
  const { port } = await secured(desk);
  const plain = (host: string) => exchange({ port, host: "127.0.0.1" }, request(host));
  expect(await plain(HOST)).toMatch(/^HTTP\/1\.1 403 [\s\S]*over TLS only/);
  expect(await plain(`127.0.0.1:${port}`)).toMatch(/^HTTP\/1\.1 200 /);
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connectTls({ port, host: "127.0.0.1", servername: HOST, ca: CA });
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject).on("close", () => resolve(text));
    socket.write(request(HOST));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test("a renewed certificate is shown after a reload; connections go on, and what is no certificate changes nothing", async () => {
  await using desk = daemonDesk();
  const { daemon, config, port } = await secured(desk);
  const client = new TestClient(await dialWebSocket(`wss://localhost:${port}`, { ca: CA }));
  await client.authenticate({ apiKey: KEY });
  expect(await shown(port)).toBe("one");
  expect(await daemon.reload(config)).toEqual({ applied: [], atNextStart: [] });
  certify(desk, "two");
  expect(await daemon.reload(config)).toEqual({ applied: ["tls"], atNextStart: [] });
  expect(await shown(port)).toBe("two");
  copyFileSync(join(FIXTURES, "one.key.pem"), config.tls.keyFile);
  await expect(daemon.reload(config)).rejects.toMatchObject({
    code: "INVALID_OPTION",
    option: "tls",
    message: expect.stringContaining("key values mismatch"),
  });
  writeFileSync(config.tls.keyFile, "");
  await expect(daemon.reload({ ...config, tls: { ...config.tls, certFile: "/nowhere.pem" } })).rejects.toMatchObject({
    option: "tls.certFile",
    message: expect.stringContaining("/nowhere.pem is none (ENOENT)"),
  });
  expect(await shown(port)).toBe("two");
  expect(await client.call("list_available_sessions", {})).toHaveProperty("result");
  const { tls: _tls, ...without } = config;
  expect(await daemon.reload(without)).toEqual({ applied: ["tls"], atNextStart: [] });
  await expect(shown(port)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a peer that never ends its handshake is cut at the deadline of every socket, and one that breaks it at once", async () => {
  await using desk = daemonDesk();
  const { port } = await secured(desk, { limits: { authenticateMs: 200 } });
  const cut = (bytes: string) =>
    new Promise<void>((resolve) => {
      const socket = connectTcp({ port, host: "127.0.0.1" });
      // Unread, the alert would keep it open.
      socket
        .resume()
        .on("error", () => {})
        .on("close", () => resolve());
      socket.write(Buffer.from(bytes, "latin1"));
    });
  await cut("\x16\x03\x01\x02\x00");
  await cut(`\x16\x03\x01\x00\x05${"x".repeat(600)}`);
  expect(await shown(port)).toBe("one");
});

test("a daemon does not start with a certificate that it cannot read, and the configuration file says so", async () => {
  await using desk = daemonDesk();
  const tls = { certFile: "/nowhere.pem", keyFile: "/nowhere.key" };
  await expect(desk.start({ tls })).rejects.toMatchObject({ code: "INVALID_OPTION", option: "tls.certFile" });
});
