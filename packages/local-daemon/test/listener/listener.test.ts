import { once } from "node:events";
import { lstatSync } from "node:fs";
import net from "node:net";
import { ConnectionError, InvalidOptionError } from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { describe, expect, test } from "vitest";
import { statusOf, upgradeText } from "../../../../test/support/raw-http.js";
import { createNonce, PROOF_HEADERS, tcpAuthority, UNIX_AUTHORITY } from "../../src/access/proof.js";
import { unixUrl } from "../../src/rendezvous/probe.js";
import { dialProven } from "../../src/rendezvous/proven-dial.js";
import { exchange, openDoor } from "./open-door.js";

const ORIGIN = "https://app.example.com";

describe("where a request comes from", () => {
  const own = (port: number): [string, string] => ["Host", `127.0.0.1:${port}`];
  const table: [title: string, status: number, headers: (port: number) => [string, string][]][] = [
    ["127.0.0.1 with the port", 101, (port) => [own(port)]],
    ["localhost with the port", 101, (port) => [["Host", `localhost:${port}`]]],
    ["[::1] with the port", 101, (port) => [["Host", `[::1]:${port}`]]],
    ["a name that points here (DNS rebinding)", 403, (port) => [["Host", `evil.example:${port}`]]],
    ["localhost with a trailing dot", 403, (port) => [["Host", `localhost.:${port}`]]],
    ["a name that starts like ours", 403, (port) => [["Host", `127.0.0.1:${port}.evil.example`]]],
    ["another port", 403, (port) => [["Host", `127.0.0.1:${port === 1 ? 2 : port - 1}`]]],
    ["no port", 403, () => [["Host", "127.0.0.1"]]],
    ["another spelling of the address", 403, (port) => [["Host", `127.1:${port}`]]],
    ["an IPv6 form without brackets", 403, (port) => [["Host", `::1:${port}`]]],
    ["no Host", 403, () => []],
    ["two Hosts", 403, (port) => [own(port), ["Host", "evil.example"]]],
    ["the configured origin", 101, (port) => [own(port), ["Origin", ORIGIN]]],
    ["the origin null", 403, (port) => [own(port), ["Origin", "null"]]],
    ["a foreign origin", 403, (port) => [own(port), ["Origin", "https://evil.example"]]],
    ["an origin that starts like ours", 403, (port) => [own(port), ["Origin", `${ORIGIN}.evil.example`]]],
    ["an origin that ends like ours", 403, (port) => [own(port), ["Origin", "https://evil-app.example.com"]]],
    ["ours with another scheme", 403, (port) => [own(port), ["Origin", "http://app.example.com"]]],
    ["ours with a port", 403, (port) => [own(port), ["Origin", `${ORIGIN}:8443`]]],
    ["ours as the user part", 403, (port) => [own(port), ["Origin", "https://app.example.com@evil.example"]]],
    ["ours with a path", 403, (port) => [own(port), ["Origin", `${ORIGIN}/`]]],
    ["our own address, not configured", 403, (port) => [own(port), ["Origin", `http://127.0.0.1:${port}`]]],
    ["http://localhost.evil.com", 403, (port) => [own(port), ["Origin", "http://localhost.evil.com"]]],
    ["two origins", 403, (port) => [own(port), ["Origin", ORIGIN], ["Origin", ORIGIN]]],
    ["an extension's scheme", 403, (port) => [own(port), ["Origin", "chrome-extension://abc"]]],
  ];

  test.each(table)("%s → %i (S2, S3)", async (_title, status, headers) => {
    await using door = await openDoor({ allowedOrigins: [ORIGIN] });
    const answer = await exchange({ port: door.port, host: "127.0.0.1" }, upgradeText(headers(door.port)));
    // Node itself answers 400 where HTTP wants one Host; either way nothing was opened.
    expect(status === 403 ? [400, 403] : [101]).toContain(statusOf(answer));
    expect(door.accepted).toHaveLength(status === 101 ? 1 : 0);
  });

  test("is checked for /health, too", async () => {
    await using door = await openDoor();
    const get = (host: string) =>
      exchange({ port: door.port, host: "127.0.0.1" }, `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(statusOf(await get(`127.0.0.1:${door.port}`))).toBe(200);
    expect(statusOf(await get("evil.example"))).toBe(403);
  });

  test("the Host of a forwarded port is accepted when it is configured, in any case, and no other is", async () => {
    await using door = await openDoor({ allowedHosts: ["localhost:9000", "Devbox.example"] });
    const ask = async (host: string) =>
      statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, upgradeText([["Host", host]])));
    for (const host of ["localhost:9000", "devbox.example", `127.0.0.1:${door.port}`])
      expect(await ask(host)).toBe(101);
    for (const host of ["localhost:9001", "localhost", "devbox.example:80", "x.devbox.example"]) {
      expect(await ask(host), host).toBe(403);
    }
  });

  test("a refusal says which header it was, so that no client takes it for that of its credential", async () => {
    await using door = await openDoor({ allowedOrigins: [ORIGIN] });
    const ask = (...headers: [string, string][]) =>
      exchange({ port: door.port, host: "127.0.0.1" }, upgradeText(headers));
    expect(await ask(["Host", "localhost:9000"])).toMatch(/\r\nx-daemon-sdk-refused: host\r\n/);
    expect(await ask(own(door.port), ["Origin", "https://evil.example"])).toMatch(
      /\r\nx-daemon-sdk-refused: origin\r\n/,
    );
  });

  test.each(["*", "*.example.com", "http://localhost:9000", "localhost:9000/", "local host", ""])(
    "a host configured as %j is refused before anything listens",
    async (host) => {
      await expect(openDoor({ allowedHosts: [host] })).rejects.toThrow(InvalidOptionError);
    },
  );

  test("does not matter on the unix socket but for pages, which cannot get there", async () => {
    await using door = await openDoor();
    const address = { path: door.socketPath };
    expect(statusOf(await exchange(address, upgradeText([["Host", "whatever"]])))).toBe(101);
    const page = upgradeText([
      ["Host", "whatever"],
      ["Origin", "https://evil.example"],
    ]);
    expect(statusOf(await exchange(address, page))).toBe(403);
  });

  test.each(["*", "https://app.example.com/", "app.example.com", "null", "https://*.example.com"])(
    "configured as %s is refused before anything listens",
    async (origin) => {
      await expect(openDoor({ allowedOrigins: [origin] })).rejects.toThrow(InvalidOptionError);
    },
  );
});

describe("HTTP", () => {
  test("answers /health on both doors without a secret, and closes (S5)", async () => {
    await using door = await openDoor();
    const request = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n\r\n`;
    for (const address of [{ port: door.port, host: "127.0.0.1" }, { path: door.socketPath }]) {
      const answer = await exchange(address, request);
      expect(statusOf(answer)).toBe(200);
      expect(answer).toContain('{"status":"ok"}');
      expect(answer).not.toContain(door.token);
      expect(answer.toLowerCase()).not.toContain("access-control");
    }
  });

  test.each([
    ["GET /", 404],
    ["GET /token", 404],
    ["GET /health?x", 404],
    ["POST /health", 405],
  ])("answers %s with %i", async (line, status) => {
    await using door = await openDoor();
    const request = `${line} HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n\r\n`;
    expect(statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, request))).toBe(status);
  });

  test("refuses an upgrade at any other path", async () => {
    await using door = await openDoor();
    const host: [string, string] = ["Host", `127.0.0.1:${door.port}`];
    for (const path of ["/relay", "/?token=x", "//"]) {
      const answer = await exchange({ port: door.port, host: "127.0.0.1" }, upgradeText([host], path));
      expect(statusOf(answer)).toBe(404);
    }
    expect(door.accepted).toHaveLength(0);
  });
});

describe("the first byte", () => {
  test.each(["\x00\x00\x00\x05hello", "get / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00", "{}", "\n"])(
    "of %j is refused without an answer",
    async (text) => {
      await using door = await openDoor();
      expect(await exchange({ path: door.socketPath }, text)).toBe("");
      expect(await exchange({ port: door.port, host: "127.0.0.1" }, text)).toBe("");
    },
  );

  test("0x00 hands the unix socket to the relay's hook, with its bytes unread", async () => {
    let received = "";
    await using door = await openDoor({
      onRelay(socket) {
        socket.on("data", (chunk) => {
          received += chunk.toString("latin1");
          socket.end("taken");
        });
      },
    });
    expect(await exchange({ path: door.socketPath }, "\x00frame")).toBe("taken");
    expect(received).toBe("\x00frame");
    expect(await exchange({ port: door.port, host: "127.0.0.1" }, "\x00frame")).toBe("");
  });

  test("may come alone, and the rest of the request byte by byte", async () => {
    await using door = await openDoor();
    const socket = net.connect({ path: door.socketPath });
    socket.setNoDelay(true);
    const answered = once(socket, "data");
    for (const char of upgradeText([["Host", "x"]])) {
      await new Promise((resolve) => socket.write(char, resolve));
    }
    expect(statusOf(String((await answered)[0]))).toBe(101);
    socket.destroy();
  });
});

describe("the time and the number of those who have not authenticated", () => {
  test.each(["", "GET / HTT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])(
    "a peer that says %j and no more is cut when its time is up (B8)",
    async (text) => {
      await using door = await openDoor({ authenticateMs: 150 });
      const started = performance.now();
      await exchange({ path: door.socketPath }, text);
      await exchange({ port: door.port, host: "127.0.0.1" }, text);
      expect(performance.now() - started).toBeGreaterThanOrEqual(290);
    },
  );

  test("a request that never ends its body is answered without it, and cut", async () => {
    await using door = await openDoor({ authenticateMs: 150 });
    const request = `POST /health HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nContent-Length: 100\r\n\r\n`;
    expect(statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, request))).toBe(405);
  });

  test("500 that say nothing push out each other, and a client still gets in (B8)", async () => {
    await using door = await openDoor({ maxUnauthenticated: 64 });
    let cut = 0;
    let tell = () => {};
    const enough = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const silent = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = net.connect({ path: door.socketPath });
        socket.on("error", () => {});
        socket.on("close", () => {
          cut += 1;
          if (cut === 500 - 64) tell();
        });
        await once(socket, "connect");
        return socket;
      }),
    );
    const client = await dialWebSocket(unixUrl(door.socketPath));
    const endings: unknown[] = [];
    client.onClose = (end) => endings.push(end);
    await enough;
    expect(endings).toEqual([]);
    client.terminate();
    for (const socket of silent) socket.destroy();
  });

  test("the oldest silent one goes first; one that has spoken stays, one that has authenticated does not count", async () => {
    await using door = await openDoor({ maxUnauthenticated: 2 });
    const url = unixUrl(door.socketPath);
    const authenticated = await dialWebSocket(url);
    door.accepted[0]?.markAuthenticated();
    const speaking = await dialWebSocket(url);
    const silent = net.connect({ path: door.socketPath }).resume();
    await once(silent, "connect");
    const silentCut = once(silent, "close");
    const newcomer = await dialWebSocket(url);
    await silentCut;
    const ended: string[] = [];
    for (const [name, link] of Object.entries({ authenticated, newcomer })) link.onClose = () => ended.push(name);
    const cut = new Promise<void>((resolve) => {
      speaking.onClose = () => resolve();
    });
    const another = await dialWebSocket(url);
    await cut;
    expect(ended).toEqual([]);
    for (const link of [authenticated, newcomer, another]) link.terminate();
  });
});

describe("the proof on an upgrade", () => {
  test.each(["unix", "tcp"] as const)("goes both ways over %s, for this very link", async (via) => {
    await using door = await openDoor();
    const dial = () =>
      dialProven({
        url: via === "unix" ? unixUrl(door.socketPath) : `ws://127.0.0.1:${door.port}`,
        authority: via === "unix" ? UNIX_AUTHORITY : tcpAuthority(door.port),
        token: door.token,
        instanceId: door.instanceId,
        timeoutMs: 2_000,
      });
    const [first, second] = [await dial(), await dial()];
    expect(first).toMatchObject({ instanceId: door.instanceId, version: "1.2.3" });
    expect(door.accepted.map((link) => link.via)).toEqual([via, via]);
    expect(door.accepted[0]?.verifyProof(first.credential.proof ?? "")).toBe(true);
    expect(door.accepted[1]?.verifyProof(first.credential.proof ?? "")).toBe(false);
    expect(door.accepted[1]?.verifyProof(second.credential.proof ?? "")).toBe(true);
    for (const { transport } of [first, second]) transport.terminate();
  });

  test("is not sent to a client that asks for none, nor for a nonce that is none", async () => {
    await using door = await openDoor();
    for (const nonce of [undefined, "", "short", `${createNonce()}x`]) {
      const headers: [string, string][] = [["Host", "x"]];
      if (nonce !== undefined) headers.push([PROOF_HEADERS.clientNonce, nonce]);
      const answer = await exchange({ path: door.socketPath }, upgradeText(headers));
      expect(statusOf(answer)).toBe(101);
      expect(answer.toLowerCase()).not.toContain(PROOF_HEADERS.proof);
    }
    expect(door.accepted[0]?.verifyProof("0".repeat(64))).toBe(false);
  });
});

describe("the addresses", () => {
  test("a taken port fails the start and says what to do; the socket of that start is gone", async () => {
    await using door = await openDoor();
    await using other = await openDoor();
    const error: unknown = await openDoor({ port: door.port }).catch((reason: unknown) => reason);
    expect(ConnectionError.is(error, "DAEMON_START_FAILED")).toBe(true);
    expect(String(error)).toContain(`port ${door.port} of 127.0.0.1`);
    expect(other.port).not.toBe(door.port);
  });

  test("the socket is 0600 whatever the umask, and the umask is as it was (S6)", async () => {
    for (const umask of [0o000, 0o022, 0o077]) {
      const before = process.umask(umask);
      await using door = await openDoor();
      expect(process.umask(before)).toBe(umask);
      expect(lstatSync(door.socketPath).mode & 0o777).toBe(0o600);
    }
  });

  test("closing stops accepting at once and cuts those who have not upgraded, not the others", async () => {
    await using door = await openDoor();
    const client = await dialWebSocket(unixUrl(door.socketPath));
    const silent = net.connect({ port: door.port, host: "127.0.0.1" }).resume();
    await once(silent, "connect");
    const silentCut = once(silent, "close");
    await door.listener.close();
    await silentCut;
    await expect(dialWebSocket(`ws://127.0.0.1:${door.port}`)).rejects.toThrow(ConnectionError);
    const heard = new Promise<string>((resolve) => {
      const [accepted] = door.accepted;
      if (accepted) accepted.transport.onMessage = resolve;
    });
    client.send("still here");
    expect(await heard).toBe("still here");
    client.terminate();
  });
});
