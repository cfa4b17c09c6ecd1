import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { createNonce, createProof, PROOF_HEADERS } from "../../src/access/proof.js";
import { connectLocal } from "../../src/rendezvous/connect-local.js";
import { writeEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { createToken, writeToken } from "../../src/rendezvous/token.js";
import { openDoor } from "../listener/open-door.js";
import { tempHome } from "./temp-home.js";

type Headers = Record<string, string>;

/** A stranger on a port: answers each upgrade with headers of its choice, and keeps all that it is sent. */
async function stranger(answer: (request: Headers) => Headers | Promise<Headers>) {
  let heard = "";
  let links = 0;
  const closed: Promise<unknown>[] = [];
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    closed.push(new Promise((resolve) => socket.on("close", resolve)));
    socket.on("data", async (chunk) => {
      heard += chunk.toString("latin1");
      if (links > 0 || !heard.includes("\r\n\r\n")) return;
      links += 1;
      const headers = await answer(headersOf(heard));
      const key = headersOf(heard)["sec-websocket-key"];
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      const lines = Object.entries({
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-accept": accept,
        ...headers,
      });
      socket.write(`HTTP/1.1 101 Hello\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    /** All that came after the upgrade request, once the connection has ended. */
    async content() {
      await Promise.all(closed);
      return heard.slice(heard.indexOf("\r\n\r\n") + 4);
    },
    heard: () => heard,
    [Symbol.dispose]: () => void server.close(),
  };
}

function headersOf(request: string): Headers {
  const lines = request
    .split("\r\n")
    .slice(1)
    .filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.split(":")[0]?.toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
}

/** A state directory in which a daemon has published its token. */
async function homeWithToken() {
  const home = tempHome();
  mkdirSync(home.state, { mode: 0o700 });
  const token = createToken();
  await writeToken(home.state, token);
  return { home, token, [Symbol.dispose]: () => home[Symbol.dispose]() };
}

const claims = (serverNonce: string, proof: string): Headers => ({
  [PROOF_HEADERS.serverNonce]: serverNonce,
  [PROOF_HEADERS.instance]: "instance",
  [PROOF_HEADERS.version]: "1",
  [PROOF_HEADERS.proof]: proof,
});

describe("a stranger on the port (S1)", () => {
  const context = (nonce: string, port: number) => ({
    version: "1",
    instanceId: "instance",
    clientNonce: nonce,
    serverNonce: createNonce(),
    authority: `127.0.0.1:${port}`,
  });

  test.each<[string, (request: Headers, token: string) => Headers]>([
    ["sends no proof", () => ({})],
    ["reflects the client's headers", (request) => claims(request[PROOF_HEADERS.clientNonce] ?? "", "0".repeat(64))],
    [
      "replays a proof made for another nonce",
      (_request, token) => {
        const old = context(createNonce(), 1);
        return claims(old.serverNonce, createProof(token, "server", old));
      },
    ],
    [
      "replays a proof made for another port",
      (request, token) => {
        const old = context(request[PROOF_HEADERS.clientNonce] ?? "", 1);
        return claims(old.serverNonce, createProof(token, "server", old));
      },
    ],
    [
      "sends back a proof of the client's kind",
      (request, token) => {
        const port = Number(request.host?.split(":")[1]);
        const own = context(request[PROOF_HEADERS.clientNonce] ?? "", port);
        return claims(own.serverNonce, createProof(token, "client", own));
      },
    ],
    [
      "proves with yesterday's token",
      (request) => {
        const own = context(request[PROOF_HEADERS.clientNonce] ?? "", Number(request.host?.split(":")[1]));
        return claims(own.serverNonce, createProof(createToken(), "server", own));
      },
    ],
  ])("that %s is refused and gets no byte of content", async (_title, answer) => {
    using place = await homeWithToken();
    using them = await stranger((request) => answer(request, place.token));
    const error: unknown = await connectLocal({ stateDir: place.home.state, daemonPort: them.port }).catch(
      (e: unknown) => e,
    );
    expect(ConnectionError.is(error, "PEER_NOT_PROVEN")).toBe(true);
    expect(await them.content()).toBe("");
    expect(them.heard()).not.toContain(place.token);
    expect(String(error)).not.toContain(place.token);
  });

  test("that forwards the handshake to the real daemon is refused: the proof names another address", async () => {
    await using door = await openDoor();
    using place = await homeWithToken();
    await writeToken(place.home.state, door.token);
    const forward = async (request: Headers): Promise<Headers> => {
      const url = `http://127.0.0.1:${door.port}/`;
      const upgrade = { connection: "Upgrade", upgrade: "websocket", host: `127.0.0.1:${door.port}` };
      const { get } = await import("node:http");
      return new Promise((resolve) => {
        get(url, { headers: { ...request, ...upgrade } }).on("upgrade", (response, socket) => {
          socket.destroy();
          const own = Object.entries(response.headers).filter(([name]) => name.startsWith("x-daemon-sdk"));
          resolve(Object.fromEntries(own) as Headers);
        });
      });
    };
    using them = await stranger(forward);
    const error: unknown = await connectLocal({ stateDir: place.home.state, daemonPort: them.port }).catch(
      (e: unknown) => e,
    );
    expect(String(error)).toMatch(/its proof is wrong/);
    expect(await them.content()).toBe("");
    const link = await connectLocal({ stateDir: place.home.state, daemonPort: door.port });
    expect(link.endpoint).toMatchObject({ kind: "ours", port: door.port, instanceId: door.instanceId });
    link.transport.terminate();
  });

  test("is not even dialled when no daemon of ours has published a token", async () => {
    using home = tempHome();
    using them = await stranger(() => ({}));
    await expect(connectLocal({ stateDir: home.state, daemonPort: them.port })).rejects.toThrow(/No daemon of yours/);
    expect(them.heard()).toBe("");
  });
});

describe("looking for a daemon", () => {
  const record = {
    pid: process.pid,
    startTime: new Date(0).toISOString(),
    instanceId: "5f0c2a0e-93a5-4c0f-8f53-0d5f4b9b7c11",
    version: "1.2.3",
  };

  test("a living pid and a socket that nobody listens on are no daemon (D2)", async () => {
    using place = await homeWithToken();
    await writeEndpoint(place.home.state, { ...record, socket: join(place.home.state, "daemon.sock") });
    expect(await probeLocalDaemon(place.home.state)).toBeUndefined();
  });

  test("a socket on which somebody else listens is no daemon (D2)", async () => {
    using place = await homeWithToken();
    await using door = await openDoor();
    await writeEndpoint(place.home.state, { ...record, socket: door.socketPath });
    expect(await probeLocalDaemon(place.home.state)).toBeUndefined();
  });

  test("a daemon other than the recorded one is none, even with the right token", async () => {
    using place = await homeWithToken();
    await using door = await openDoor({ token: place.token });
    await writeEndpoint(place.home.state, { ...record, socket: door.socketPath });
    expect(await probeLocalDaemon(place.home.state)).toBeUndefined();
    await writeEndpoint(place.home.state, { ...record, instanceId: door.instanceId, socket: door.socketPath });
    const found = await probeLocalDaemon(place.home.state);
    expect(found?.link.instanceId).toBe(door.instanceId);
    found?.link.transport.terminate();
  });

  test("a socket path with spaces, colons and other letters is found", async () => {
    using place = await homeWithToken();
    const socketPath = join(place.home.path, "a b:c#d?é%20.sock");
    await using door = await openDoor({ token: place.token, socketPath });
    await writeEndpoint(place.home.state, { ...record, instanceId: door.instanceId, socket: socketPath });
    const found = await probeLocalDaemon(place.home.state);
    expect(found?.record.socket).toBe(socketPath);
    found?.link.transport.terminate();
  });
});
