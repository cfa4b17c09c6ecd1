import { readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { DaemonError, LIMITS, sessionId, silentLogger } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import fc from "fast-check";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { SEARCH_LIMITS } from "../../src/limits/search-limits.js";
import { IndexThread } from "../../src/search/index-thread.js";
import { SearchIndex } from "../../src/search/search-index.js";
import { searchWork } from "../../src/search/search-work.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { MIGRATIONS } from "../../src/storage/schema.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { MessageChange, StoreWrite } from "../../src/storage/store.js";
import { databasePath } from "../storage/database-path.js";
import { message, sessionRow } from "../storage/store-contract.js";
import { bundledProgram } from "../support/bundled-program.js";
import { Searching, tell } from "./searching.js";

const S = sessionId("s-1");
let program: string;

beforeAll(() => {
  program = bundledProgram("src/search/search-worker.ts");
});

/** A store in a file with an index beside it, in a thread; `restart` does what a restarted daemon does. */
class Desk {
  readonly path = databasePath();
  readonly indexPath = join(dirname(this.path), "search.db");
  store!: SqliteStore;
  searching!: Searching;

  static async open(): Promise<Desk> {
    const desk = new Desk();
    await desk.start();
    onTestFinished(() => desk.stop());
    return desk;
  }

  async start(): Promise<void> {
    this.store = new SqliteStore({ path: this.path });
    await this.store.open();
    this.searching = new Searching(this.store, { indexPath: this.indexPath, program });
  }

  async stop(): Promise<void> {
    await this.searching.close();
    await this.store.close();
  }

  async restart(between: () => void = () => {}): Promise<void> {
    await this.stop();
    between();
    await this.start();
  }

  async until(isMet: () => Promise<boolean>): Promise<void> {
    while (!(await isMet())) await delay(5);
  }
}

test("what was committed is found at once, in an index that only its user can read, and that is emptied into by a thread", async () => {
  const desk = await Desk.open();
  await tell(desk.store, S, { a: "needle" });
  expect(await desk.searching.ids("needle")).toEqual(["a"]);
  expect(statSync(desk.indexPath).mode & 0o777).toBe(0o600);
  expect(desk.store.messageFeed.changes()).toBeUndefined();
});

test("messages that no index took are taken after a restart, changed and retracted ones too", async () => {
  const desk = await Desk.open();
  await tell(desk.store, S, { a: "needle", b: "needle", c: "needle" });
  expect(await desk.searching.ids("needle")).toEqual(["c", "b", "a"]);
  await desk.searching.close();
  await desk.store.commit([
    { kind: "message", sessionId: S, message: message("a", "thread") },
    { kind: "retractMessage", sessionId: S, messageId: "b" },
    { kind: "message", sessionId: S, message: message("d", "needle") },
  ]);
  await desk.restart();
  expect(await desk.searching.ids("needle")).toEqual(["d", "c"]);
  expect(await desk.searching.ids("thread")).toEqual(["a"]);
});

test.each([
  ["missing", () => undefined],
  ["damaged", () => "not a database at all, for the whole of a page".repeat(1_000)],
])("an index that is %s is built anew in the background, and says so until it is whole", async (_name, content) => {
  const desk = await Desk.open();
  const texts = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`m-${index}`, `needle ${index}`]));
  await tell(desk.store, S, texts);
  await desk.until(async () => !(await desk.searching.answer({ query: "needle" })).isIncomplete);
  await desk.restart(() => {
    new SearchIndex(desk.indexPath).discard();
    const text = content();
    if (text !== undefined) writeFileSync(desk.indexPath, text);
  });
  expect((await desk.searching.answer({ query: "needle" })).isIncomplete).toBe(true);
  await desk.until(async () => !(await desk.searching.answer({ query: "needle" })).isIncomplete);
  expect(await desk.searching.ids("needle 299")).toEqual(["m-299"]);
  expect(await desk.searching.ids("needle 0")).toEqual(["m-0"]);
});

test.runIf(process.platform === "linux")("a new index is one file, and no deleted one stays open", async () => {
  const path = databasePath();
  const index = new SearchIndex(path);
  onTestFinished(() => index.close());
  expect(index.open({ id: 1, newestNo: 0, lastNo: 0 })).toBe(0);
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // The descriptor of this very reading.
    }
  });
  expect(open.filter((file) => file.startsWith(path) && file.endsWith("(deleted)"))).toEqual([]);
});

test("an index of another store, or of another state of this one, is not believed", () => {
  const path = join(dirname(databasePath()), "search.db");
  const change = (no: number): MessageChange => ({
    no,
    sessionId: S,
    owner: undefined,
    body: Buffer.from(JSON.stringify(message(`m-${no}`, "needle"))),
  });
  const index = new SearchIndex(path);
  expect(index.open({ id: 1, lastNo: 9, newestNo: 9 })).toBe(0);
  index.put([change(1), change(5)], "all");
  index.close();
  expect(index.open({ id: 1, lastNo: 5, newestNo: 5 })).toBeUndefined();
  expect(index.shardBelow(1)).toBe(0);
  index.close();
  // Behind it, as after a power loss: what is missing is filled in, however often that is begun.
  expect(index.open({ id: 1, lastNo: 8, newestNo: 8 })).toBe(5);
  index.put([change(8)]);
  index.close();
  expect(index.open({ id: 1, lastNo: 8, newestNo: 8 })).toBe(5);
  index.put([change(7), change(8)], "all");
  index.close();
  expect(index.open({ id: 1, lastNo: 8, newestNo: 8 })).toBeUndefined();
  index.close();
  expect(index.open({ id: 1, lastNo: 4, newestNo: 4 })).toBe(0);
  index.put([change(1)], "all");
  index.close();
  expect(index.open({ id: 2, lastNo: 9, newestNo: 9 })).toBe(0);
  expect(index.ownersFor(undefined)).toEqual([]);
  index.close();
});

test("a store of an earlier version is indexed from its first message on", async () => {
  const path = databasePath();
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 5)) old.exec(step);
  old.exec("PRAGMA user_version=5");
  const insert = old.prepare("INSERT INTO messages (session, id, role, body) VALUES (?, ?, ?, ?)");
  insert.run(...["s-1", "a", "user"].map((text) => JSON.stringify(text)), JSON.stringify(message("a", "needle")));
  old.close();
  const store = new SqliteStore({ path });
  await store.open();
  await store.commit([{ kind: "session", row: sessionRow(S) }]);
  const searching = new Searching(store);
  while ((await searching.answer({ query: "needle" })).isIncomplete) await delay(5);
  expect(await searching.ids("needle")).toEqual(["a"]);
  await searching.close();
  await store.close();
});

test("a key's search touches no table of others: neither their rows nor their number cost it time", () => {
  const index = new SearchIndex(":memory:");
  index.open({ id: 1, lastNo: 0, newestNo: 0 });
  const owners = ["k1", undefined, "k2", undefined, undefined];
  const changes = owners.map((owner, at): MessageChange => {
    const body = Buffer.from(JSON.stringify(message(`m-${at}`, owner === "k1" ? "mine" : "hunter")));
    return { no: at + 1, sessionId: sessionId(`s-${at}`), owner, body };
  });
  index.put(changes);
  const touched: [number, number, string][] = [];
  const matches = index.matches.bind(index);
  index.matches = (owner, shard, expression) => {
    touched.push([owner, shard, expression]);
    return matches(owner, shard, expression);
  };
  for (const query of ["hunter", "nothing"]) {
    const asked = { query, kind: "all", limitSessions: 9, limitHitsPerSession: 9, contextChars: 9, owner: "k1" };
    expect(ended(searchWork(index, asked))).toEqual({ sessions: [], isIncomplete: false });
  }
  const [mine] = index.ownersFor("k1");
  // Documents are numbered owner by owner, so that the number of shards tells nothing of the others either.
  expect(touched).toEqual([
    [mine, 0, '("hunter"*)'],
    [mine, 0, '("nothing"*)'],
  ]);
  index.close();
});

test("documents of several shards are found, changed and dropped alike", () => {
  const index = new SearchIndex(":memory:");
  index.open({ id: 1, lastNo: 0, newestNo: 0 });
  const count = SEARCH_LIMITS.shardDocuments * 2 + 10;
  const put = (no: number, text: string | undefined): MessageChange => ({
    no,
    sessionId: S,
    owner: undefined,
    body: text === undefined ? undefined : Buffer.from(JSON.stringify(message(`m-${no}`, text))),
  });
  index.put(Array.from({ length: count }, (_, at) => put(at + 1, `needle n${at + 1}x`)));
  const [owner = 0] = index.ownersFor(undefined);
  expect(index.shardBelow(owner)).toBe(2);
  index.put([put(3, "thread n3x"), put(1_500, undefined), put(count, "thread")]);
  const ids = (query: string) => {
    const asked = { query, kind: "all", limitSessions: 9, limitHitsPerSession: 20, contextChars: 9 };
    const work = searchWork(index, asked);
    let step = work.next();
    while (!step.done) step = work.next();
    return step.value.sessions.flatMap(({ hits }) => hits.map(({ docId }) => docId));
  };
  expect(ids("thread")).toEqual([`m-${count}`, "m-3"]);
  expect(ids("n1500x")).toEqual([]);
  expect(ids("needle n1501x")).toEqual(["m-1501"]);
  expect(ids("needle")).toHaveLength(20);
  index.close();
});

test("a principal searches one at a time; more than may wait are refused, and nobody else is", async () => {
  const desk = await Desk.open();
  await tell(desk.store, S, { a: "needle" }, "k1");
  const flood = Array.from({ length: 20 }, () => desk.searching.ids("needle", "k1").then(() => "found", codeOf));
  // Refused for the others that wait, before it is looked at: finding its words takes longer than a refusal.
  const long = Array.from({ length: 40 }, (_, n) => `w${n}`).join(" ");
  expect(await desk.searching.ids(long, "k1").then(() => "found", codeOf)).toBe("QUEUE_FULL");
  expect(await desk.searching.ids("needle")).toEqual(["a"]);
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((outcome) => outcome === "found")).toHaveLength(1 + SEARCH_LIMITS.waitingPerPrincipal);
  expect(new Set(outcomes)).toEqual(new Set(["found", "QUEUE_FULL"]));
  expect(await desk.searching.ids("needle", "k1")).toEqual(["a"]);
});

test("the dearest query leaves the loop alone, and ends in time", async () => {
  const desk = await Desk.open();
  const filler = "再試行 function 会议 ".repeat(2_000);
  for (let at = 0; at < 200; at += 1) await tell(desk.store, sessionId(`s-${at}`), { [`m-${at}`]: filler });
  await desk.until(
    async () => desk.store.messageFeed.changes() === undefined || (await desk.searching.ids("x")).length < 0,
  );
  const dear = Array.from({ length: LIMITS.searchWords }, (_, at) => `試会行议${at}`).join(" ");
  const before = performance.eventLoopUtilization();
  // A search that its deadline did not end would outlast the test.
  await Promise.all([dear, "試会", "function 再試行 会议"].map((query) => desk.searching.answer({ query })));
  // What the thread does is not this loop's: on a busy machine both take longer, and the share stays.
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
}, 60_000);

test("a thread that fails rejects what is open, and the next request starts another", async () => {
  const failing = join(dirname(databasePath()), "failing.cjs");
  writeFileSync(
    failing,
    `const { parentPort } = require("node:worker_threads");
     parentPort.on("message", ({ no, request }) => {
       if (request.kind === "search") throw new Error("a fault");
       parentPort.postMessage({ no, result: undefined });
     });`,
  );
  const thread = new IndexThread({ path: ":memory:", logger: silentLogger, program: failing });
  const open = () => thread.request({ kind: "open", source: { id: 1, lastNo: 0, newestNo: 0 } });
  await open();
  const { generation } = thread;
  const query = { query: "x", kind: "all", limitSessions: 1, limitHitsPerSession: 1, contextChars: 1 };
  await expect(thread.request({ kind: "search", query })).rejects.toMatchObject({ code: "INTERNAL" });
  expect(thread.generation).toBe(generation + 1);
  await open();
  await thread.stop();
});

test("closing rejects what is open and holds nothing", async () => {
  const desk = await Desk.open();
  await tell(desk.store, S, { a: "needle" });
  const open = desk.searching.ids("needle").catch(codeOf);
  await desk.searching.close();
  expect([["a"], "CONNECTION_CLOSED"]).toContainEqual(await open);
});

test("after any commits, the index finds what reading every message finds", async () => {
  const session = fc.constantFrom(...["s-1", "s-2", "\0"].map(sessionId));
  const id = fc.constantFrom("a", "b", "c", "\ud800");
  const words = fc.array(fc.constantFrom("fox", "foxes", "quickFox", "dog", "\n", "Straße", "再試行", "行"), {
    maxLength: 5,
  });
  const write: fc.Arbitrary<StoreWrite> = fc.oneof(
    fc.record({ of: session, id, words }).map(({ of, id, words }): StoreWrite => {
      return { kind: "message", sessionId: of, message: message(id, words.join(" ")) };
    }),
    fc.record({ of: session, id }).map(({ of, id }): StoreWrite => {
      return { kind: "retractMessage", sessionId: of, messageId: id };
    }),
  );
  const commits = fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(commits, async (commits) => {
      const stores = [new MemoryStore(), new SqliteStore({ path: ":memory:" })];
      const answers = await Promise.all(
        stores.map(async (store) => {
          await store.open();
          const searching = new Searching(store);
          const rows = ["s-1", "s-2", "\0"].map((of, at) => sessionRow(sessionId(of), { updatedAt: at }));
          await store.commit(rows.map((row) => ({ kind: "session", row }) as const));
          for (const writes of commits) await store.commit(writes);
          const queries = ["fox", "quick fo", "strasse", "straße", "試", "試行 fox", "行"];
          const found: unknown[] = [];
          for (const query of queries) found.push(await searching.rows({ query }));
          await searching.close();
          await store.close();
          return found;
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
    }),
    { numRuns: 60 },
  );
});

function codeOf(error: unknown): string {
  return DaemonError.is(error) ? error.code : String(error);
}

test("a deleted session of a key is found no more, and its words leave the index, also after its row is gone", async () => {
  const desk = await Desk.open();
  await tell(desk.store, S, { m1: "a giraffe" }, "k1");
  await tell(desk.store, sessionId("s-2"), { m2: "another giraffe" }, "k1");
  expect(await desk.searching.ids("giraffe", "k1")).toEqual(["m2", "m1"]);
  await desk.store.commit([{ kind: "deleteSession", sessionId: S }]);
  expect(await desk.searching.ids("giraffe", "k1")).toEqual(["m2"]);
  await desk.store.commit([{ kind: "dropDraft", sessionId: S, rows: 100 }]);
  expect(await desk.store.drafts()).toEqual([]);
  expect(await desk.searching.ids("giraffe", "k1")).toEqual(["m2"]);
  await desk.stop();
  const index = new DatabaseSync(desk.indexPath);
  expect(index.prepare("SELECT count(*) AS n FROM docs_1").get()).toEqual({ n: 1 });
  index.close();
  await desk.start();
});

test("a shard whose messages are gone is dropped, and a search finds what is older and newer", async () => {
  const desk = await Desk.open();
  const count = SEARCH_LIMITS.shardDocuments * 2 + 10;
  const first = "m-0";
  await desk.store.commit([{ kind: "session", row: sessionRow(S) }]);
  for (let at = 0; at < count; at += 256) {
    const ids = Array.from({ length: Math.min(256, count - at) }, (_, offset) => at + offset);
    await desk.store.commit(
      ids.map((no): StoreWrite => {
        return { kind: "message", sessionId: S, message: message(`m-${no}`, no % 500 === 0 ? "a giraffe" : "x") };
      }),
    );
  }
  while ((await desk.searching.answer({ query: "giraffe" })).isIncomplete) await delay(5);
  // Everything of the shard in the middle, and of the first one but the first message.
  for (let no = 1; no < SEARCH_LIMITS.shardDocuments * 2; no += 256) {
    await desk.store.commit(
      Array.from({ length: 256 }, (_, offset) => no + offset)
        .filter((at) => at < SEARCH_LIMITS.shardDocuments * 2)
        .map((at): StoreWrite => ({ kind: "retractMessage", sessionId: S, messageId: `m-${at}` })),
    );
  }
  await tell(desk.store, sessionId("s-2"), { new: "the newest giraffe" });
  expect(await desk.searching.ids("giraffe")).toEqual(["new", first]);
  await desk.stop();
  const index = new DatabaseSync(desk.indexPath);
  const tables = index
    .prepare("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%' ORDER BY name")
    .all();
  index.close();
  expect(tables.map((row) => Reflect.get(Object(row), "name"))).toEqual(["words_1_0", "words_1_2"]);
  await desk.start();
});

/** What work returns. It pauses where its share of time is over, which a busy machine decides. */
function ended<T>(work: Iterator<unknown, T>): T {
  while (true) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
