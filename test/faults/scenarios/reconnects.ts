import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, openFiles, withoutProc } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { RawClient } from "../support/raw-client.js";

/** Reconnects after which code is compiled and tables have grown. */
const WARM_UP = 50;
const GROWTH_BYTES = 2 ** 20;

/** M2: links that come and go under one connection. */
export const reconnectScenarios: readonly FaultScenario[] = [
  {
    id: "M2",
    title: "a client that comes back a thousand times holds what it held at first",
    isQuick: true,
    limitMs: 180_000,
    cannotRun: withoutProc,
    async run(context) {
      await using daemon = await startForeground();
      return await comesBack(daemon, context);
    },
  },
];

interface Holdings {
  readonly timers: number;
  readonly listeners: number;
  readonly descriptors: number;
  readonly resources: string;
  readonly heapUsed: number;
}

async function comesBack(daemon: ForegroundDaemon, context: FaultContext): Promise<string> {
  const reconnects = context.count(1_000, 20);
  await using proxy = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: context.seed });
  const args = [`ws://127.0.0.1:${proxy.port}`, daemon.token, daemon.workspace];
  await using client = RoleProcess.start("reconnecting-client", { args, execArgv: ["--expose-gc"] });
  await client.next();
  let connected = 1;
  const cutTimes = async (count: number) => {
    for (let cut = 0; cut < count; cut += 1) {
      proxy.cutAll();
      connected += 1;
      await client.ask({ connected });
    }
  };
  const look = async () => ({ ...(await client.ask<Holdings>({})), daemonFiles: openFiles(daemon.pid) });
  await cutTimes(WARM_UP);
  await openLazily(daemon);
  const before = await settled(look);
  await cutTimes(reconnects);
  const after = await settled(look);
  const growth = after.heapUsed - before.heapUsed;
  const counted = (held: typeof after) => ({ ...held, heapUsed: 0 });
  assert.deepEqual(counted(after), counted(before));
  assert.ok(growth <= GROWTH_BYTES, `the heap grew by ${bytes(growth)}`);
  return (
    `${reconnects} reconnects: ${after.timers} timers, ${after.listeners} listeners, ${after.descriptors} descriptors, ` +
    `${after.daemonFiles} in the daemon, as at the start; heap ${growth < 0 ? "" : "+ "}${bytes(growth)}`
  );
}

/** The daemon opens its search index beside its first clients: a search returns when that is done. */
async function openLazily(daemon: ForegroundDaemon): Promise<void> {
  using client = await RawClient.connect(daemon.url, daemon.token);
  await client.call("search_sessions", { query: "anything" });
  client.socket.close();
  await client.closed;
}

/** Held resources after the last cut link has closed on both sides: equal in three samples. */
async function settled<Look extends Holdings>(look: () => Promise<Look>): Promise<Look> {
  let last = await look();
  for (let same = 1; same < 3; ) {
    const next = await look();
    same = isDeepStrictEqual({ ...next, heapUsed: 0 }, { ...last, heapUsed: 0 }) ? same + 1 : 1;
    last = next;
  }
  return last;
}
