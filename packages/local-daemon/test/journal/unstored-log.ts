import { silentLogger } from "@daemon-sdk/protocol";
import { SessionLog } from "../../src/journal/log.js";
import type { SessionLogOptions } from "../../src/journal/log-options.js";
import { RecentBudget } from "../../src/journal/recent-entries.js";
import { SESSION_LIMITS } from "../../src/limits/session-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { SegmentRow } from "../../src/storage/store.js";

/** A log whose entries wait until the test takes them. */
export function unstoredLog(place: Pick<SessionLogOptions, "sessionId" | "epoch" | "lastSeq">): SessionLog {
  return new SessionLog({
    ...place,
    services: {
      store: new MemoryStore(),
      committer: { enlist() {} },
      watch: { wake() {} },
      recent: new RecentBudget(),
      limits: SESSION_LIMITS,
      now: () => 0,
      logger: silentLogger,
    },
    session: { onBacklog() {}, onOversized() {}, onUndurable() {}, turnFirstSeq: () => undefined },
  });
}

/** Adds a question of that id, as the inbox does. */
export function requestNamed(log: SessionLog, id: string, fields: object): string {
  const params = { ...fields, sessionId: log.sessionId };
  return String(log.appendRequest({ id, method: "ask_user", params }, JSON.stringify(params)));
}

/** Everything that waits, as rows. */
export function takeSegments(log: SessionLog): SegmentRow[] {
  return log.takeBatch().writes.flatMap((write) => (write.kind === "segment" ? [write.row] : []));
}
