import { silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { Committer } from "../../../src/journal/index.js";
import { RELAY_LIMITS } from "../../../src/limits/index.js";
import { DurableMailboxes } from "../../../src/relay/mailboxes/index.js";
import { MemoryStore } from "../../../src/server.js";
import type { StoreWrite } from "../../../src/storage/index.js";

/** Mailboxes over a store that calls `onCommit` while each transaction runs. */
function mailboxesWith(onCommit: (mailboxes: DurableMailboxes) => void) {
  class WatchedStore extends MemoryStore {
    override async commit(writes: readonly StoreWrite[]): Promise<void> {
      onCommit(mailboxes);
      await super.commit(writes);
    }
  }
  const store = new WatchedStore();
  const options = {
    store,
    limits: RELAY_LIMITS,
    now: () => 1,
    logger: silentLogger,
    addressOf: (name: string) => name,
  };
  const committer = new Committer(options);
  const mailboxes = new DurableMailboxes({ ...options, committer });
  return { mailboxes };
}

const MAIL = { from: "Alice", to: "Bob", payload: { kind: "message", body: "m" }, refId: "r" } as const;

test("a name has mail from the moment in which a message for it is taken, also while that is being stored", async () => {
  const seen: boolean[] = [];
  const { mailboxes } = mailboxesWith((all) => seen.push(all.withMail()("Bob"), all.withMail()("Carol")));
  expect(mailboxes.withMail()("Bob")).toBe(false);
  const posted = mailboxes.post([MAIL]);
  expect(mailboxes.withMail()("Bob")).toBe(true);
  await posted;
  expect(seen).toEqual([true, false]);
  expect(mailboxes.withMail()("Bob")).toBe(true);
});

test("messages that come in the tick in which their mailbox is dropped are kept, and nothing else is", async () => {
  const { mailboxes } = mailboxesWith(() => {});
  await mailboxes.post([MAIL]);
  const before = mailboxes.post([{ ...MAIL, payload: { kind: "message", body: "before" } }]);
  const removed = mailboxes.remove("Bob");
  const after = mailboxes.post([{ ...MAIL, payload: { kind: "message", body: "after" } }]);
  await Promise.all([before, removed, after]);
  const entries = await mailboxes.history({ to: "Bob", order: "asc", limit: 10 });
  expect(entries.map(({ payload }) => payload.body)).toEqual(["before", "after"]);
  expect(entries.map(({ position }) => position)).toEqual([1, 2]);
});
