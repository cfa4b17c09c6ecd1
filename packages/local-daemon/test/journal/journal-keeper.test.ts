import { sessionId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { JournalKeeper } from "../../src/journal/journal-keeper.js";
import { JOURNAL_LIMITS } from "../../src/limits/journal-limits.js";
import { SESSION_LIMITS } from "../../src/limits/session-limits.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { segment } from "../storage/store-contract.js";

test("a keeper that is stopped reads nothing more: its store may be closed by then", async () => {
  const warn = vi.fn();
  const store = new MemoryStore();
  const journalSegments = vi.spyOn(store, "journalSegments");
  const services = { store, limits: SESSION_LIMITS, now: () => 1_000_000, logger: { ...silentLogger, warn } };
  const keeper = new JournalKeeper(sessionId("s-1"), services);
  const entries = Array.from({ length: JOURNAL_LIMITS.pruneLookEntries }, () => "{}");
  const looked = keeper.stored([segment(sessionId("s-1"), 1, entries)], undefined);
  expect(looked).toBeDefined();
  keeper.stop();
  await store.close();
  expect(await looked).toBeUndefined();
  expect(journalSegments).not.toHaveBeenCalled();
  expect(warn).not.toHaveBeenCalled();
});
