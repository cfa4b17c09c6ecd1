import {
  ConnectionError,
  type ConnectLocalOptions,
  type LocalDaemonEndpoint,
  type LocalLink,
  type Transport,
} from "@daemon-sdk/protocol";
import { FakeDaemon, NO_REPLY, rpcFault } from "@daemon-sdk/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createConnectDaemon } from "../../src/connect/connect-daemon.js";
import { localPlatform } from "../../src/connect/local-platform.js";
import { type ConnectionStatus, connectDaemon, MachineType } from "../../src/index.js";
import { connected, OUR_CAPABILITIES, rejection } from "../support.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("authentication is the first message: credential, caller and where it goes; no version before one is known", async () => {
  const { daemon, connection } = await connected(
    {},
    { apiKey: "fk-1", token: "jwt", machine: { type: MachineType.Local } },
  );
  expect(daemon.received[0]).toMatchObject({
    method: "authenticate",
    protocolVersion: undefined,
    params: { apiKey: "fk-1", token: "jwt", caller: "droid-sdk", metadata: { tracing: { machineType: "local" } } },
  });
  expect(connection.identity).toMatchObject({ userId: "fake-user", orgId: "fake-org", capabilities: {} });
});

test("the daemon's version is learned from its first answer and stated from then on", async () => {
  const { daemon, connection } = await connected({ protocolVersion: "1.245.0" });
  await connection.listOpenedSessions();
  expect(daemon.received.at(-1)?.protocolVersion).toBe("1.245.0");
  expect(connection.protocolVersion).toBe("1.245.0");
});

test("a refused credential rejects with AUTH_REJECTED, without the credential in it, and is not retried", async () => {
  const daemon = new FakeDaemon({ credential: "fk-right" });
  const error = await rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk-wrong", maxRetries: 3 }));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ code: "AUTH_REJECTED", retryable: false });
  expect((error as Error).message).not.toContain("fk-wrong");
  expect(daemon.dials).toBe(1);
});

test("authentication states the language and the version of the SDK, which newer daemons want", async () => {
  const { daemon, connection } = await connected();
  const sdk = { language: "typescript", version: expect.stringMatching(/^\d+\.\d+\.\d+/) };
  expect(daemon.received[0]?.params).toMatchObject({ metadata: { sdk } });
  await connection.close();
});

test.each([
  [-32_700, "REMOTE_ERROR"],
  [-32_602, "INVALID_PARAMS"],
  [-32_603, "REMOTE_ERROR"],
])("an answer %i to authentication is not told as a refused credential", async (rpcCode, code) => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => {
    throw rpcFault(rpcCode, "metadata.sdk.version: Required");
  });
  const error = (await rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }))) as Error;
  expect(error).toMatchObject({ code, retryable: false });
  expect(error.message).toContain("metadata.sdk.version: Required");
});

test("a daemon that cannot read the request answers without its id, and that is noticed at once", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", ({ link }) => {
    link.fail(null, { code: -32_700, message: "Invalid JSON-RPC message" });
    return NO_REPLY;
  });
  const error = (await rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }))) as Error;
  expect(error).toMatchObject({ code: "REMOTE_ERROR" });
  expect(error.message).toContain("Invalid JSON-RPC message");
});

test("without a credential nothing is dialed", async () => {
  const daemon = new FakeDaemon();
  expect(await rejection(connectDaemon({ transport: daemon.dial }))).toMatchObject({ code: "AUTH_MISSING" });
  expect(daemon.dials).toBe(0);
});

test("a socket that closes during authentication is noticed at once", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => {
    daemon.cut();
    return NO_REPLY;
  });
  expect(await rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }))).toMatchObject({
    code: "CONNECTION_LOST",
  });
  expect(daemon.connections).toBe(0);
});

test("no answer to authentication rejects with CONNECT_TIMEOUT after 30 s and leaves no link", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => NO_REPLY);
  const error = rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }));
  await daemon.waitForRequest("authenticate");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await error).toMatchObject({ code: "CONNECT_TIMEOUT", name: "ConnectionError" });
  expect(daemon.connections).toBe(0);
});

test("maxRetries repeats connect and authenticate, 2 s apart, for what can pass", async () => {
  const daemon = new FakeDaemon();
  let attempts = 0;
  daemon.answer("authenticate", ({ link }) => {
    attempts += 1;
    if (attempts < 3) {
      daemon.cut();
      return NO_REPLY;
    }
    link.isAuthenticated = true;
    return { userId: "u", orgId: "o" };
  });
  const connecting = connectDaemon({ transport: daemon.dial, apiKey: "fk", maxRetries: 2 });
  await daemon.waitForRequest("authenticate");
  await vi.advanceTimersByTimeAsync(1_999);
  expect(attempts).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(attempts).toBe(2);
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await connecting).identity.userId).toBe("u");
  expect(daemon.connections).toBe(1);
});

test("when the retries are used up, the last error is thrown", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => {
    daemon.cut();
    return NO_REPLY;
  });
  const error = rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk", maxRetries: 1 }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await error).toMatchObject({ code: "CONNECTION_LOST" });
  expect(daemon.dials).toBe(2);
});

test("a dial that fails is repeated by the schedule of the machine, then rejects", async () => {
  const daemon = new FakeDaemon();
  daemon.stop();
  const error = rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await error).toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
  expect(daemon.dials).toBe(6);
});

test("an abort while connecting rejects with its reason", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => NO_REPLY);
  const controller = new AbortController();
  const error = rejection(
    connectDaemon({ transport: daemon.dial, apiKey: "fk", maxRetries: 5, signal: controller.signal }),
  );
  await daemon.waitForRequest("authenticate");
  controller.abort(new RangeError("changed my mind"));
  expect(await error).toMatchObject({ message: "changed my mind" });
  expect(daemon.dials).toBe(1);
});

test("a daemon of another version is told by name", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("authenticate", () => {
    const protocolVersionMismatch = { localFactoryProtocolVersion: "2.0.0", peerFactoryProtocolVersion: "1.51.0" };
    throw rpcFault(-32_601, "Method not found", { protocolVersionMismatch });
  });
  const error = (await rejection(connectDaemon({ transport: daemon.dial, apiKey: "fk" }))) as Error;
  expect(error).toMatchObject({ code: "VERSION_MISMATCH" });
  expect(error.message).toContain("2.0.0");
});

test("what the daemon offers is what the connection says it can", async () => {
  const { connection } = await connected({ capabilities: OUR_CAPABILITIES });
  expect(connection.capabilities).toEqual(OUR_CAPABILITIES);
});

describe("a local machine", () => {
  const endpoint: LocalDaemonEndpoint = { kind: "ours", url: "ws+unix:///s:/", started: false };

  async function setUp(link: Partial<LocalLink>, environmentApiKey?: string) {
    const daemon = new FakeDaemon();
    const asked: (ConnectLocalOptions | undefined)[] = [];
    const transport: Transport = await daemon.dial({ url: "", signal: new AbortController().signal });
    const connect = createConnectDaemon(
      localPlatform({
        loadLocalDaemon: async () => ({
          connectLocal: async (options) => {
            asked.push(options);
            return { transport, endpoint, credential: {}, ...link };
          },
        }),
        environmentApiKey: () => environmentApiKey,
      }),
    );
    return { daemon, asked, connect };
  }

  test("is authenticated with the proof made for this very link, and its session calls send no secret", async () => {
    const { daemon, connect, asked } = await setUp({ credential: { proof: "00ff" } });
    const connection = await connect();
    expect(daemon.received[0]?.params).toMatchObject({ proof: "00ff" });
    expect(connection.identity.endpoint).toEqual(endpoint);
    await connection.createSession();
    expect(daemon.received[1]?.params).toMatchObject({ token: "local", machineId: "default", cwd: "." });
    expect(asked).toEqual([{}]);
  });

  test("takes a credential of the caller before the proof", async () => {
    const { daemon, connect } = await setUp({ credential: { proof: "00ff" } }, "fk-env");
    await connect({ apiKey: "fk-mine" });
    expect(daemon.received[0]?.params).not.toHaveProperty("proof");
    expect(daemon.received[0]?.params).toMatchObject({ apiKey: "fk-mine" });
  });

  test("that is a plain droid takes FACTORY_API_KEY, also for its sessions", async () => {
    const { daemon, connect } = await setUp({ endpoint: { ...endpoint, kind: "droid" } }, "fk-env");
    const connection = await connect();
    await connection.createSession();
    expect(daemon.received[0]?.params).toMatchObject({ apiKey: "fk-env" });
    expect(daemon.received[1]?.params).toMatchObject({ token: "fk-env" });
  });

  test("that is a plain droid rejects with AUTH_MISSING when there is no key, and nothing was sent", async () => {
    const { daemon, connect } = await setUp({ endpoint: { ...endpoint, kind: "droid" } });
    expect(await rejection(connect())).toMatchObject({ code: "AUTH_MISSING" });
    expect(daemon.received).toEqual([]);
  });

  test("with a port and no credential has to prove itself there", async () => {
    const { connect, asked } = await setUp({ credential: { proof: "00ff" } });
    await connect({ daemonPort: 4_321 });
    expect(asked).toEqual([{ daemonPort: 4_321 }]);
  });

  test("does not reach for a link that the caller brings", async () => {
    const { connect, asked } = await setUp({});
    const daemon = new FakeDaemon();
    let url = "";
    const dial: typeof daemon.dial = (request) => {
      url = request.url;
      return daemon.dial(request);
    };
    await connect({ transport: dial, apiKey: "fk", daemonPort: 4_321 });
    expect(url).toBe("ws://127.0.0.1:4321");
    expect(asked).toEqual([]);
  });
});

describe("a connection", () => {
  test("tells its status to the callback and to every iterator, from the present one to the end", async () => {
    const seen: string[] = [];
    const onStatus = ({ type }: ConnectionStatus) => void seen.push(type);
    const { daemon, connection } = await connected({}, { onStatus, reconnect: false });
    const iterated: unknown[] = [];
    const done = (async () => {
      for await (const status of connection.status()) iterated.push(status);
    })();
    daemon.cut();
    await done;
    expect(seen).toEqual(["connected", "disconnected"]);
    expect(iterated).toMatchObject([
      { type: "connected" },
      { type: "disconnected", error: { code: "CONNECTION_LOST" } },
    ]);
    expect(await connection.closed).toMatchObject({ code: "CONNECTION_LOST" });
    for await (const { type } of connection.status()) expect(type).toBe("disconnected");
  });

  test("that is closed here ends without an error, may be closed again, and refuses calls", async () => {
    const { daemon, connection } = await connected();
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(await connection.closed).toBeUndefined();
    expect(daemon.connections).toBe(0);
    expect(await rejection(connection.createSession())).toMatchObject({ code: "CONNECTION_CLOSED" });
    expect(await rejection(connection.resumeSession("s"))).toMatchObject({ code: "CONNECTION_CLOSED" });
    expect(await rejection(connection.listOpenedSessions())).toMatchObject({ code: "CONNECTION_CLOSED" });
  });

  test("whose status callback throws goes on, and tells onError", async () => {
    const errors: Error[] = [];
    const fail = () => {
      throw new RangeError("in the callback");
    };
    const { connection } = await connected({}, { onStatus: fail, onError: (error) => errors.push(error) });
    await connection.listOpenedSessions();
    expect(errors.map(({ message }) => message)).toEqual(["in the callback"]);
  });

  test("is closed by `await using`", async () => {
    const daemon = new FakeDaemon();
    {
      await using _connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk" });
      expect(daemon.connections).toBe(1);
    }
    expect(daemon.connections).toBe(0);
  });

  test("that ends right behind the answer to authentication is not handed out", async () => {
    const transport: Transport = {
      bufferedBytes: 0,
      onMessage: undefined,
      onWritable: undefined,
      onClose: undefined,
      send(text) {
        const { id } = JSON.parse(text) as { id: string };
        queueMicrotask(() => {
          const response = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", id, result: {} };
          transport.onMessage?.(JSON.stringify(response));
          transport.onClose?.({ clean: false, code: 1006, reason: "" });
        });
        return true;
      },
      close() {},
      terminate() {},
    };
    const error = await rejection(connectDaemon({ transport: async () => transport, apiKey: "fk" }));
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
  });
});
