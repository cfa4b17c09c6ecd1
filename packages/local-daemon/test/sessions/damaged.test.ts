import { sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness } from "./harness.js";

/** A store in which a session lost a part when it was copied out of a damaged file. */
async function damagedStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  await harness.committer.drain();
  const row = await store.readSession(sessionId("s-1"));
  if (row !== undefined) await store.commit([{ kind: "session", row: { ...row, damagedAt: 5 } }]);
  return store;
}

test.each([
  ["loads", { method: "load_session", params: { token: "t" } }],
  ["resumes", { method: "resume_session", params: { after: { epoch: 1, seq: 0 } } }],
])(
  "the first client that %s a session that lost a part of it gets a notice, once, and so do none of others",
  async (_, call) => {
    const store = await damagedStore();
    await using harness = await Harness.start({ store });
    const first = await harness.connect();
    for (const id of ["s-1", "s-2"]) await first.result(call.method, { sessionId: id, ...call.params });
    await first.notified({ type: "session_notice", code: "STORAGE_FAILED" });
    const second = await harness.connect();
    await second.loadSession("s-1");
    await harness.committer.drain();
    const notices = [first, second].map(
      (client) => client.types("s-1").filter((type) => type === "session_notice").length,
    );
    expect(notices).toEqual([1, 0]);
    expect(first.types("s-2")).not.toContain("session_notice");
    expect((await store.readSession(sessionId("s-1")))?.damagedAt).toBeUndefined();
  },
);
