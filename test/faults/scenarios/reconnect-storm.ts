import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionStatus, connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { startForeground } from "../support/foreground-daemon.js";

const CLIENTS = 200;
const SAMPLE_CLIENTS = 60;
const BUCKET_MS = 100;
const BUCKET_SHARE = 0.4;
const BACK_MS = 5_000;
const ATTEMPTS = 8;
/** Marks of a sample: a machine that stands still for a moment bunches clients, and a daemon may need long to be back. */
const SAMPLE_SHARE = 0.8;
const SAMPLE_ATTEMPTS = 16;
const AWAY_MS = 1_000;
const SOON_MS = 60_000;
const API_KEY = "fk-reconnect-storm-0123456789";

/** F6: everybody comes back at once. */
export const reconnectStormScenarios: readonly FaultScenario[] = [
  {
    id: "F6",
    title: "clients of a daemon that was away come back soon, and not all at once",
    isQuick: true,
    limitMs: 120_000,
    run: storm,
  },
];

async function storm(context: FaultContext): Promise<string> {
  const config = { apiKeys: [API_KEY] };
  const first = await startForeground({ config });
  const clients: WaitingClient[] = [];
  try {
    for (let count = context.count(CLIENTS, SAMPLE_CLIENTS); count > 0; count -= 1)
      clients.push(await WaitingClient.connect(first.socketPath));
    process.kill(first.pid, "SIGKILL");
    await delay(AWAY_MS);
    await using second = await startForeground({ config, stateDir: first.stateDir });
    const listening = performance.now();
    await within(SOON_MS, Promise.all(clients.map((client) => client.back)));
    // No connection was refused as one too many without a credential, and the new daemon is found.
    assert.doesNotMatch(second.said(), /unauthenticated|too many/i);
    return judge(clients, listening, context);
  } finally {
    await Promise.all(clients.map((client) => client.connection.close()));
    await first[Symbol.asyncDispose]();
  }
}

/** A client that waits for its daemon to come back. */
class WaitingClient {
  readonly connection: DaemonConnection;
  readonly back: Promise<void>;
  attempts = 0;
  /** When it was connected again. */
  backAt = Number.NaN;
  /** When its last attempt was to begin. */
  dueAt = Number.NaN;
  readonly closeCodes: string[] = [];

  private constructor(connection: DaemonConnection, states: EventTarget) {
    this.connection = connection;
    this.back = new Promise((resolve) => {
      states.addEventListener("reconnecting", ({ detail }: CustomEventInit<ConnectionStatus>) => {
        this.attempts += 1;
        if (detail?.type === "reconnecting") this.dueAt = performance.now() + detail.delayMs;
        if (detail?.type === "reconnecting") this.closeCodes.push(String(detail.error.message));
      });
      states.addEventListener("connected", () => {
        this.backAt = performance.now();
        resolve();
      });
    });
  }

  static async connect(socketPath: string): Promise<WaitingClient> {
    const states = new EventTarget();
    const connection = await connectDaemon({
      url: `ws+unix://${socketPath}:/`,
      apiKey: API_KEY,
      onStatus: (detail) => states.dispatchEvent(new CustomEvent(detail.type, { detail })),
    });
    return new WaitingClient(connection, states);
  }
}

function judge(clients: readonly WaitingClient[], listening: number, context: FaultContext): string {
  // When each meant to come. When it got through is bunched by a processor that is busy elsewhere, with 200 clients in one process.
  const meant = fullestBucket(clients.map(({ dueAt }) => dueAt - listening));
  const times = clients.map(({ backAt }) => backAt - listening);
  const came = fullestBucket(times);
  const slowest = Math.max(...times);
  const attempts = Math.max(...clients.map((client) => client.attempts));
  const refused = clients.filter(({ closeCodes }) => closeCodes.some((text) => /4429|too many/i.test(text)));
  const [share, most] = context.isSample ? [SAMPLE_SHARE, SAMPLE_ATTEMPTS] : [BUCKET_SHARE, ATTEMPTS];
  assert.ok(meant <= share, `${percent(meant)} came within the same ${BUCKET_MS} ms`);
  assert.ok(slowest <= BACK_MS * context.slowness, `the last came after ${Math.round(slowest)} ms`);
  assert.ok(attempts <= most, `${attempts} attempts`);
  assert.equal(refused.length, 0, "none was refused for coming with many");
  return `${clients.length} clients: at most ${percent(meant)} come in the same tenth of a second (${percent(came)} got through in one), the last after ${Math.round(slowest)} ms, ≤ ${attempts} attempts, none refused`;
}

/** Share of the fullest tenth of a second. */
function fullestBucket(times: readonly number[]): number {
  const buckets = new Map<number, number>();
  for (const time of times) {
    const bucket = Math.floor(time / BUCKET_MS);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  return Math.max(...buckets.values()) / times.length;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
