import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { memoryTransport, type SessionId, silentLogger, type Transport } from "@daemon-sdk/protocol";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { EditorConnections } from "../../src/acp-face/editor-connections.js";
import { DAEMON_LIMITS } from "../../src/limits/index.js";
import { createDaemon, type Daemon, MemoryStore } from "../../src/server.js";
import { tempHome } from "../rendezvous/temp-home.js";
import { FakeSpawner } from "../sessions/fake-agent.js";
import { Harness } from "../sessions/harness.js";
import { Valve } from "../sessions/valve.js";
import { Editor } from "./editor.js";

const KEY = "a-key-of-an-editor-0";
const OTHER_KEY = "a-key-of-an-editor-1";

interface Connected extends Disposable {
  readonly editor: Editor;
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
}

test("an editor that leaves its buffer full for too long is closed with 4408; its session goes on", async () => {
  await using harness = await Harness.start();
  const { near, far } = memoryTransport();
  const wire = new Valve(far);
  const inner: Transport[] = [];
  const editors = new EditorConnections({
    serve: ({ transport, markAuthenticated }) => {
      inner.push(transport);
      joined(transport, harness.link());
      markAuthenticated(harness.turns.shares.strangers);
      return Promise.resolve();
    },
    strangers: harness.turns.shares.strangers,
    limits: { ...DAEMON_LIMITS, connectionBufferBytes: 1_024, slowConsumerMs: 10, closeTimeoutMs: 10 },
    logger: silentLogger,
  });
  const editor = new Editor((line) => near.send(line));
  near.onMessage = (text) => editor.receive(text);
  const link = { transport: wire, acceptedAt: performance.now(), verifyProof: () => true, markAuthenticated: () => {} };
  editors.accept(link);
  await editor.open();
  await editor.result("authenticate", {
    methodId: "daemon-credential",
    _meta: { daemonSdk: { proof: "good" } },
  });
  const session = await editor.newSession("/");
  editor.beginPrompt(session, "talk");
  const agent = await harness.spawner.agentOf(session);
  await agent.prompted(1);
  agent.started();
  wire.stopReading();
  for (let n = 0; n < 10; n++) agent.delta("x".repeat(1_000));
  expect(await wire.closedByDaemon).toBe(4408);
  await vi.waitFor(() => expect(harness.host.find(session as SessionId)?.attached.count).toBe(0));
  agent.end("completed");
  expect(harness.host.find(session as SessionId)).toBeDefined();
});

/** Each end receives what comes at the other one. */
function joined(one: Transport, other: Transport): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.onMessage = (text) => void to.send(text);
    from.onClose = ({ code }) => to.close(code);
  }
}

describe("the path /acp", () => {
  let home: ReturnType<typeof tempHome>;
  let daemon: Daemon;
  let work: string;
  const spawner = new FakeSpawner();

  beforeAll(async () => {
    home = tempHome();
    work = join(home.state, "..", "work");
    mkdirSync(work, { recursive: true });
    const limits = { authenticateMs: 400 };
    daemon = await createDaemon({
      stateDir: home.state,
      port: 0,
      apiKeys: [KEY, OTHER_KEY],
      store: new MemoryStore(),
      spawner,
      limits,
    });
  });

  afterAll(async () => {
    await daemon.close({ drainMs: 0 });
    home[Symbol.dispose]();
  });

  async function connect(headers: Record<string, string> = {}): Promise<Connected> {
    const socket = new WebSocket(`ws://127.0.0.1:${daemon.endpoint.port}/acp`, { headers });
    const closed = once(socket, "close").then(([code]) => code as number);
    const editor = new Editor((line) => socket.send(line));
    socket.on("message", (data) => editor.receive(String(data)));
    await once(socket, "open");
    return { editor, socket, closed, [Symbol.dispose]: () => socket.terminate() };
  }

  const authenticate = (editor: Editor, daemonSdk: object) =>
    editor.call("authenticate", { methodId: "daemon-credential", _meta: { daemonSdk } });

  test("a key in the header is enough, and its sessions are out of reach of another key", async () => {
    using own = await connect({ authorization: `Bearer ${KEY}` });
    expect(await own.editor.open()).toMatchObject({
      authMethods: [],
      _meta: { daemonSdk: { agents: expect.any(Array) } },
    });
    const session = await own.editor.newSession(work);
    const prompt = own.editor.beginPrompt(session, "hello");
    const agent = await spawner.agentOf(session);
    await agent.prompted(1);
    agent.end("completed");
    expect((await own.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });

    using other = await connect({ authorization: `Bearer ${OTHER_KEY}` });
    await other.editor.open();
    expect((await other.editor.result("session/list", {})).sessions).toEqual([]);
    const load = { sessionId: session, cwd: work, mcpServers: [] };
    expect((await other.editor.call("session/load", load)).error?.code).toBe(-32002);
  });

  test("without a credential only initialize is served; one in authenticate opens the rest", async () => {
    using own = await connect();
    const about = await own.editor.open();
    expect(about).toMatchObject({ authMethods: [{ id: "daemon-credential" }] });
    expect(JSON.stringify(about)).not.toContain("workspace-agent");
    expect((await own.editor.call("session/list", {})).error?.code).toBe(-32000);
    expect((await authenticate(own.editor, { apiKey: "not-a-key-of-anybody" })).error?.code).toBe(-32000);
    expect((await own.editor.call("session/list", {})).error?.code).toBe(-32000);
    expect((await authenticate(own.editor, { apiKey: KEY })).result).toEqual({});
    expect(await own.editor.result("session/list", {})).toHaveProperty("sessions");
  });

  test("the third refused credential ends the connection, and so does silence", async () => {
    using guessing = await connect({ authorization: "Bearer not-a-key-of-anybody" });
    for (const guess of ["b", "c"]) void authenticate(guessing.editor, { apiKey: `not-a-key-of-anybody-${guess}` });
    expect(await guessing.closed).toBe(4401);
    using silent = await connect();
    expect(await silent.closed).toBe(4401);
  });

  test("a page whose origin is not allowed is refused before the upgrade", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${daemon.endpoint.port}/acp`, { origin: "https://elsewhere.example" });
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    socket.on("error", () => {});
    socket.terminate();
  });

  test("a daemon that stops closes its editors", async () => {
    const other = tempHome();
    const stopping = await createDaemon({
      stateDir: other.state,
      port: 0,
      apiKeys: [KEY],
      store: new MemoryStore(),
      spawner,
    });
    const socket = new WebSocket(`ws://127.0.0.1:${stopping.endpoint.port}/acp`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    const editor = new Editor((line) => socket.send(line));
    socket.on("message", (data) => editor.receive(String(data)));
    const closed = once(socket, "close");
    await once(socket, "open");
    await editor.open();
    await stopping.close({ drainMs: 0 });
    expect((await closed)[0]).toBe(1001);
    other[Symbol.dispose]();
  });
});
