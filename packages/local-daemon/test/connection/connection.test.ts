import { type Logger, silentLogger, type Transport, type TransportClose } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { expect, test, vi } from "vitest";
import { Connection, type ConnectionLimits } from "../../src/connection/connection.js";
import type { Dialect } from "../../src/connection/dialect.js";
import { Heartbeat } from "../../src/connection/heartbeat.js";
import { Valve } from "../sessions/valve.js";

/** A dialect that says what happens, and does what the test wants with a message. */
class SpyDialect implements Dialect {
  readonly name = "spy";
  readonly events: string[] = [];
  declare ping?: () => void;

  constructor(
    readonly connection: Connection,
    readonly act: (text: string, connection: Connection) => void,
  ) {}

  onMessage(text: string): void {
    this.events.push(`${this.connection.state} message ${text}`);
    this.act(text, this.connection);
  }

  onActive(): void {
    this.events.push(`${this.connection.state} onActive`);
  }

  onClose({ code }: TransportClose): void {
    this.events.push(`${this.connection.state} onClose ${code}`);
  }

  onError(error: Error): void {
    this.events.push(`${this.connection.state} onError ${error.message}`);
  }
}

interface Options {
  act?: (text: string, connection: Connection) => void;
  limits?: ConnectionLimits;
  logger?: Logger;
  heartbeat?: Heartbeat;
  through?: (transport: Transport) => Transport;
  setUp?: (dialect: SpyDialect) => void;
}

function connect(options: Options = {}) {
  const { near, far, cut } = memoryTransport();
  const received: string[] = [];
  near.onMessage = (text) => received.push(text);
  const closed = new Promise<TransportClose>((resolve) => {
    near.onClose = resolve;
  });
  let dialect: SpyDialect | undefined;
  const connection = new Connection({
    transport: options.through?.(far) ?? far,
    logger: options.logger ?? silentLogger,
    ...(options.limits && { limits: options.limits }),
    ...(options.heartbeat && { heartbeat: options.heartbeat }),
    dialect: (self) => {
      dialect = new SpyDialect(self, options.act ?? ((text, it) => text === "hello" && it.accept("peer")));
      options.setUp?.(dialect);
      return dialect;
    },
  });
  return { near, cut, received, closed, connection, dialect: dialect as SpyDialect };
}

test("callbacks come after the transition they tell of, and messages in the order they were sent", async () => {
  const { near, connection, dialect, closed } = connect();
  expect(connection.state).toBe("handshaking");
  for (const text of ["hello", "one", "two"]) near.send(text);
  near.close();
  await closed;
  await connection.closed;
  expect(dialect.events).toEqual([
    "handshaking message hello",
    "active onActive",
    "active message one",
    "active message two",
    "closed onClose 1000",
  ]);
});

test("every transition and every error is logged with the connection's id and the peer's name", async () => {
  const lines: [object, string][] = [];
  const write = (fields: object, message: string) => lines.push([fields, message]);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const act = (text: string, it: Connection) => {
    if (text === "hello") it.accept("peer");
    else throw new TypeError("broken");
  };
  const { near, connection } = connect({ logger, act });
  near.send("hello");
  near.send("boom");
  await connection.closed;
  expect(lines.every(([fields]) => Reflect.get(fields, "connection") === connection.id)).toBe(true);
  expect(lines.map(([fields]) => Reflect.get(fields, "to")).filter(Boolean)).toEqual([
    "handshaking",
    "active",
    "closing",
    "closed",
  ]);
  expect(lines.find(([, message]) => message.includes("broken"))?.[0]).toMatchObject({
    peer: "peer",
    code: "INTERNAL",
  });
});

test("what was sent before a close is delivered before it, and nothing is taken after it", async () => {
  const { received, closed, connection } = connect();
  for (let n = 0; n < 100; n++) connection.send(`${n}`);
  connection.close(4401, "enough");
  expect(connection.send("late")).toBe(false);
  expect(await closed).toMatchObject({ clean: true, code: 4401, reason: "enough" });
  expect(received).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
});

test("a dialect that throws closes its connection with 4500, once", async () => {
  const act = () => {
    throw new TypeError("broken");
  };
  const { near, closed, connection, dialect } = connect({ act });
  near.send("a");
  near.send("b");
  expect((await closed).code).toBe(4500);
  await connection.closed;
  expect(dialect.events.filter((event) => event.includes("message"))).toHaveLength(1);
});

test("a handshake that takes too long is told and closed with 4401; one in time stops the clock", async () => {
  const slow = connect({ limits: { handshakeMs: 5 } });
  expect((await slow.closed).code).toBe(4401);
  expect(slow.dialect.events[0]).toMatch(/handshaking onError The handshake timed out/);
  const quick = connect({ limits: { handshakeMs: 5 } });
  quick.near.send("hello");
  await slow.connection.closed;
  const other = connect({ limits: { handshakeMs: 10 } });
  await other.closed;
  expect(quick.connection.state).toBe("active");
});

test("a peer that never authenticated and does not answer the close is cut at once; one that had has its time (B8)", async () => {
  const ends: string[] = [];
  const limits = { handshakeMs: 5, closeMs: 600_000 };
  const deaf = (name: string) =>
    connect({
      limits,
      through: (far) => {
        far.close = () => {};
        const { terminate } = far;
        far.terminate = () => {
          ends.push(name);
          terminate.call(far);
        };
        return far;
      },
    });
  const friend = deaf("friend");
  friend.near.send("hello");
  await vi.waitFor(() => expect(friend.connection.state).toBe("active"), { timeout: 50_000 });
  friend.connection.close();
  const stranger = deaf("stranger");
  await stranger.connection.closed;
  expect(ends).toEqual(["stranger"]);
  expect(friend.connection.state).toBe("closing");
  friend.cut();
});

test("a link that is cut ends the connection without a close, and a late close does nothing", async () => {
  const { cut, connection, dialect } = connect();
  cut();
  expect(await connection.closed).toMatchObject({ clean: false, code: 1006 });
  connection.close();
  connection.accept("ghost");
  expect(connection.state).toBe("closed");
  expect(dialect.events).toEqual(["closed onClose 1006"]);
});

test("a peer that does not answer a close is cut", async () => {
  const { connection } = connect({
    limits: { closeMs: 5 },
    through: (transport) => {
      const valve = new Valve(transport);
      valve.stopReading();
      return valve;
    },
  });
  connection.close();
  expect(await connection.closed).toMatchObject({ clean: false });
});

test("a full queue says so, calls once when the peer has caught up, and bounds what a peer makes us say", async () => {
  let valve: Valve | undefined;
  const { connection, near } = connect({
    limits: { bufferBytes: 1_000, slowMs: 60_000 },
    through: (transport) => {
      valve = new Valve(transport);
      return valve;
    },
  });
  near.send("hello");
  valve?.stopReading();
  expect(connection.send("x".repeat(999))).toBe(true);
  expect(connection.isFull).toBe(false);
  expect(connection.send("x")).toBe(false);
  expect(connection.isFull).toBe(true);
  const writable = vi.fn();
  connection.onceWritable(writable);
  // An answer is taken all the same: only events wait.
  connection.send("an answer");
  valve?.readOn();
  expect(connection.isFull).toBe(false);
  expect(writable).toHaveBeenCalledTimes(1);

  valve?.stopReading();
  for (let n = 0; n < 20 && connection.state !== "closing"; n++) connection.send("x".repeat(1024 * 1024));
  expect(await valve?.closedByDaemon).toBe(4408);
});

test("while a peer does not read its answers, it is not read either", () => {
  let valve: Valve | undefined;
  const paused: boolean[] = [];
  const { connection, near } = connect({
    limits: { bufferBytes: 1_000, slowMs: 60_000 },
    through: (transport) => {
      valve = new Valve(transport);
      return Object.assign(valve, { setPaused: (isPaused: boolean) => void paused.push(isPaused) });
    },
  });
  near.send("hello");
  valve?.stopReading();
  for (let answers = 0; answers < 3; answers += 1) connection.send("x".repeat(600));
  expect(paused).toEqual([true]);
  valve?.readOn();
  expect(paused).toEqual([true, false]);
});

test("one timer pings every connection that wants it; a silent one is cut, one that speaks stays", () => {
  vi.useFakeTimers();
  try {
    const heartbeat = new Heartbeat({ intervalMs: 100, missedBeats: 2 });
    const told: string[] = [];
    const member = (name: string) => ({
      ping: () => told.push(`ping ${name}`),
      onSilent: () => told.push(`${name} is silent`),
    });
    const [dead, alive] = [member("dead"), member("alive")];
    heartbeat.add(dead);
    heartbeat.add(alive);
    expect(vi.getTimerCount()).toBe(1);
    for (let beat = 0; beat < 3; beat++) {
      vi.advanceTimersByTime(100);
      heartbeat.received(alive);
    }
    expect(told.filter((line) => line.includes("dead"))).toEqual(["ping dead", "ping dead", "dead is silent"]);
    expect(told.filter((line) => line.includes("alive"))).toEqual(["ping alive", "ping alive", "ping alive"]);
    heartbeat.remove(alive);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a connection is pinged from its handshake on, and given up when it gives no sign of life", async () => {
  const heartbeat = new Heartbeat({ intervalMs: 5, missedBeats: 2 });
  let pings = 0;
  const { near, connection, dialect } = connect({
    heartbeat,
    setUp: (spy) => {
      spy.ping = () => pings++;
    },
  });
  near.send("hello");
  await connection.closed;
  expect(pings).toBe(2);
  expect(dialect.events.at(-2)).toMatch(/active onError The peer gave no sign of life/);
});
