import { closeSync, copyFileSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import { message, segment, sessionRow, turn } from "../storage/store-contract.js";
import { daemonDesk } from "./daemon-desk.js";

const PAGE = 16_384;

test("a daemon starts whichever table of its store is damaged, also when only the start reads that page", async () => {
  await using desk = daemonDesk();
  const path = join(desk.stateDir, "daemon.db");
  const good = `${path}.good`;
  await (await desk.start()).close();
  await fill(path);
  copyFileSync(path, good);
  let repaired = 0;
  for (const page of firstPages(path)) {
    for (const name of readdirSync(desk.stateDir)) {
      if (/^(daemon|search)\.db/.test(name) && !name.endsWith(".good")) rmSync(join(desk.stateDir, name));
    }
    copyFileSync(good, path);
    overwrite(path, page);
    const daemon = await desk.start();
    await daemon.close({ drainMs: 0 });
    if (readdirSync(desk.stateDir).some((name) => name.includes(".damaged-"))) repaired += 1;
  }
  expect(repaired).toBeGreaterThan(10);
});

async function fill(path: string): Promise<void> {
  const store = new SqliteStore({ path });
  await store.open();
  for (let at = 0; at < 30; at += 1) {
    const id = sessionId(`s-${at}`);
    await store.commit([
      { kind: "session", row: sessionRow(id, { updatedAt: 1_000 + at }) },
      { kind: "turn", row: turn(id, `t-${at}`, 1, { state: "completed", endedAt: 5, firstSeq: 1, lastSeq: 20 }) },
      { kind: "message", sessionId: id, message: message("m-1", "text ".repeat(1_000)) },
      { kind: "segment", row: segment(id, 1, ["x".repeat(700)], { epoch: 9_000_000_000 }) },
    ]);
  }
  await store.close();
}

/** A page of each table at each of its levels, but the first one, without which a file is no store. */
function firstPages(path: string): number[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const pages = database
    .prepare(
      "SELECT min(pageno) AS page FROM dbstat JOIN sqlite_schema USING (name) WHERE type = 'table' AND pageno > 1 GROUP BY name, pagetype",
    )
    .all();
  database.close();
  return pages.map((row) => Number((row as { page: number }).page));
}

function overwrite(path: string, page: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(PAGE, 0x5a), 0, PAGE, (page - 1) * PAGE);
  closeSync(file);
}
