import { messageId, type SessionId, type SessionMessage, sessionId } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import type { PendingRequestRow, SegmentRow, SessionRow, Store, StoreWrite, TurnRow } from "../../src/storage/store.js";

const S = sessionId("s-1");

/** A row with everything set; tests change what they are about. */
export function sessionRow(id: SessionId, overrides: Partial<SessionRow> = {}): SessionRow {
  return {
    id,
    owner: undefined,
    agentSessionId: `agent-${id}`,
    agent: "workspace-agent",
    cwd: "/project",
    title: "A title",
    settings: { modelId: "m-1", reasoningEffort: "none" },
    tags: [{ name: "sdk" }],
    tokenUsage: { inputTokens: 1, outputTokens: 2, cacheCreationTokens: 3, cacheReadTokens: 4, thinkingTokens: 5 },
    createdAt: 1_000,
    updatedAt: 2_000,
    archivedAt: undefined,
    ...overrides,
  };
}

export function message(id: string, text: string, overrides: Partial<SessionMessage> = {}): SessionMessage {
  return { id, role: "user", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1, ...overrides };
}

export function segment(
  id: SessionId,
  firstSeq: number,
  entries: string[],
  overrides: Partial<SegmentRow> = {},
): SegmentRow {
  return { sessionId: id, epoch: 7, firstSeq, entries, createdAt: 1, ...overrides };
}

export function turn(id: SessionId, name: string, ordinal: number, overrides: Partial<TurnRow> = {}): TurnRow {
  return {
    sessionId: id,
    id: messageId(name),
    ordinal,
    state: "accepted",
    promptBytes: 7,
    requestId: `r-${name}`,
    reason: undefined,
    createdAt: ordinal,
    endedAt: undefined,
    ...overrides,
  };
}

/** A request of an agent. */
export function request(id: SessionId, name: string, overrides: Partial<PendingRequestRow> = {}): PendingRequestRow {
  return {
    id: name,
    sessionId: id,
    turnId: undefined,
    method: "ask_user",
    params: "{}",
    outcome: undefined,
    createdAt: 1,
    resolvedAt: undefined,
    ...overrides,
  };
}

/** What every {@link Store} promises. `reopen` closes the store and opens what it left, as a restarted daemon does. */
export function describeStore(
  name: string,
  make: () => { store: Store; reopen(): Promise<{ store: Store; epoch: number }> },
): void {
  async function opened(): Promise<ReturnType<typeof make> & { epoch: number }> {
    const made = make();
    return { ...made, ...(await made.store.open()) };
  }

  describe(name, () => {
    test("rows come back as they were written, and the later one of a key wins", async () => {
      const { store } = await opened();
      await store.commit([{ kind: "session", row: sessionRow(S) }]);
      await store.commit([{ kind: "session", row: sessionRow(S, { title: undefined, updatedAt: 3_000 }) }]);
      const { title: _none, ...rest } = sessionRow(S, { updatedAt: 3_000 });
      expect(await store.readSession(S)).toEqual(rest);
      expect(await store.readSession(sessionId("other"))).toBeUndefined();
      await store.close();
    });

    test("what was committed is there after a restart, under a larger epoch", async () => {
      const first = await opened();
      await first.store.commit([
        { kind: "session", row: sessionRow(S) },
        { kind: "segment", row: segment(S, 1, ["{}", '{"a":1}']) },
        { kind: "message", sessionId: S, message: message("m-1", "hello") },
        { kind: "turn", row: turn(S, "t-1", 1) },
      ]);
      const { store, epoch } = await first.reopen();
      expect(epoch).toBeGreaterThan(first.epoch);
      expect(await store.journalBounds(S)).toEqual({ firstSeq: 1, lastSeq: 2, lastPosition: { epoch: 7, seq: 2 } });
      expect(await store.countMessages(S)).toBe(1);
      expect(await store.readMessage(S, "m-1")).toEqual(message("m-1", "hello"));
      expect(await store.readMessage(S, "other")).toBeUndefined();
      expect(await store.readMessagesFrom(S, "m-1", 1)).toEqual([message("m-1", "hello")]);
      expect(await store.readMessagesFrom(S, "other", 1_000)).toEqual([]);
      expect(await store.readMessage(sessionId("other"), "m-1")).toBeUndefined();
      expect(await store.openTurns()).toHaveLength(1);
      await store.close();
    });

    test("mailboxes, their entries and streams come back after a restart, as far as they were acknowledged", async () => {
      const first = await opened();
      const state = { address: "Bob \u0000", lowWater: 0, acked: [], lastPosition: 3, waitingBytes: 30 };
      await first.store.commit([
        { kind: "mailbox", row: { ...state, body: '{"a":1}' } },
        {
          kind: "mailboxSegment",
          row: { address: state.address, firstPosition: 1, entries: ["{}", '{"b":2}'], createdAt: 5 },
        },
        { kind: "mailboxSegment", row: { address: state.address, firstPosition: 3, entries: ["[]"], createdAt: 6 } },
        { kind: "mailboxStream", address: state.address, stream: "default:Alice", seq: 2 },
        { kind: "mailboxStream", address: state.address, stream: "default:Alice", seq: 3 },
        { kind: "relayFact", scope: "s", name: "n", body: "one" },
        { kind: "relayFact", scope: "s", name: "gone", body: "two" },
      ]);
      await first.store.commit([
        { kind: "mailboxState", state: { ...state, lowWater: 1, acked: [[3, 3]], waitingBytes: 10 } },
        { kind: "relayFact", scope: "s", name: "gone", body: undefined },
      ]);
      const { store } = await first.reopen();
      expect(await store.mailboxes()).toEqual([
        { ...state, lowWater: 1, acked: [[3, 3]], waitingBytes: 10, body: '{"a":1}', streams: [["default:Alice", 3]] },
      ]);
      expect(await store.relayFacts("s")).toEqual([["n", "one"]]);
      const entriesFrom = async (position: number, bytes = 1_000) =>
        (await store.readMailbox(state.address, position, bytes)).map(({ firstPosition, entries }) => [
          firstPosition,
          entries,
        ]);
      expect(await entriesFrom(2)).toEqual([
        [1, ["{}", '{"b":2}']],
        [3, ["[]"]],
      ]);
      expect(await entriesFrom(1, 1)).toHaveLength(1);
      expect(await entriesFrom(4)).toEqual([]);
      const newest = await store.mailboxSegments({ order: "desc", limit: 1 });
      expect(newest.map(({ createdAt }) => createdAt)).toEqual([6]);
      const beyond = await store.mailboxSegments({
        order: "desc",
        beyond: newest[0]?.no,
        address: state.address,
        limit: 9,
      });
      expect(beyond.map(({ createdAt }) => createdAt)).toEqual([5]);
      await store.commit([{ kind: "pruneMailbox", address: state.address, beforePosition: 3 }]);
      expect(await entriesFrom(1)).toEqual([[3, ["[]"]]]);
      await store.commit([{ kind: "dropMailbox", address: state.address }]);
      expect(await store.mailboxes()).toEqual([]);
      expect(await entriesFrom(1)).toEqual([]);
      await store.close();
    });

    test("history is dropped in the order of storing, as far as it was acknowledged", async () => {
      const { store } = await opened();
      const segment = (address: string, firstPosition: number) =>
        ({ kind: "mailboxSegment", row: { address, firstPosition, entries: ["{}"], createdAt: 1 } }) as const;
      const mailbox = (address: string, lowWater: number) =>
        ({
          kind: "mailbox",
          row: { address, lowWater, acked: [], lastPosition: 2, waitingBytes: 0, body: "{}" },
        }) as const;
      await store.commit([mailbox("read", 2), mailbox("waiting", 0)]);
      await store.commit([segment("read", 1), segment("waiting", 1), segment("read", 2), segment("waiting", 2)]);
      const rows = await store.mailboxSegments({ order: "asc", limit: 9 });
      await store.commit([{ kind: "pruneHistory", throughNo: rows[1]?.no ?? 0 }]);
      const left = await store.mailboxSegments({ order: "asc", limit: 9 });
      expect(left.map(({ address, firstPosition }) => [address, firstPosition])).toEqual([
        ["waiting", 1],
        ["read", 2],
        ["waiting", 2],
      ]);
      expect(await store.readMailbox("read", 1, 1_000)).toHaveLength(1);
      expect(await store.readMailbox("waiting", 1, 1_000)).toHaveLength(2);
      await store.close();
    });

    test("entries are read from any place, across segments, a page at a time, never across a hole", async () => {
      const { store } = await opened();
      const entries = (from: number, count: number) => Array.from({ length: count }, (_, i) => `{"seq":${from + i}}`);
      await store.commit([
        { kind: "segment", row: segment(S, 1, entries(1, 3)) },
        { kind: "segment", row: segment(S, 4, entries(4, 2)) },
        { kind: "segment", row: segment(S, 9, entries(9, 2)) },
      ]);
      expect(await store.readEntries(S, 1, 1_000)).toEqual({ firstSeq: 1, epoch: 7, entries: entries(1, 5) });
      expect(await store.readEntries(S, 3, 1_000)).toEqual({ firstSeq: 3, epoch: 7, entries: entries(3, 3) });
      expect(await store.readEntries(S, 2, 1)).toEqual({ firstSeq: 2, epoch: 7, entries: entries(2, 2) });
      expect(await store.readEntries(S, 6, 1_000)).toEqual({ firstSeq: 9, epoch: 7, entries: entries(9, 2) });
      expect((await store.readEntries(S, 11, 1_000)).entries).toEqual([]);
      await store.close();
    });

    test("pruning drops whole old segments and keeps the newest, so the journal knows where it goes on", async () => {
      const { store } = await opened();
      await store.commit([
        { kind: "segment", row: segment(S, 1, ["{}", "{}"]) },
        { kind: "segment", row: segment(S, 3, ["{}", "{}"]) },
        { kind: "segment", row: segment(S, 5, ["{}"]) },
      ]);
      await store.commit([{ kind: "pruneJournal", sessionId: S, beforeSeq: 4 }]);
      expect(await store.journalBounds(S)).toMatchObject({ firstSeq: 3, lastSeq: 5 });
      await store.commit([{ kind: "pruneJournal", sessionId: S, beforeSeq: 100 }]);
      expect(await store.journalBounds(S)).toMatchObject({ firstSeq: 5, lastSeq: 5 });
      expect(await store.journalSegments(S, Number.MAX_SAFE_INTEGER, 10_000)).toEqual([
        { epoch: 7, firstSeq: 5, lastSeq: 5, bytes: 2, createdAt: 1 },
      ]);
      await store.close();
    });

    test("messages come in pages from the newest backwards, keep their place when they change, and can be retracted", async () => {
      const { store } = await opened();
      const ids = ["a", "b", "c", "d", "e"];
      await store.commit(ids.map((id) => ({ kind: "message", sessionId: S, message: message(id, id) }) as const));
      await store.commit([
        { kind: "message", sessionId: S, message: message("b", "changed", { role: "assistant" }) },
        { kind: "retractMessage", sessionId: S, messageId: "d" },
      ]);
      const newest = await store.readMessages(S, { limit: 2 });
      expect(newest.messages.map(({ id }) => id)).toEqual(["c", "e"]);
      const { nextCursor: cursor } = newest;
      const older = await store.readMessages(S, { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      expect(older.messages).toEqual([message("a", "a"), message("b", "changed", { role: "assistant" })]);
      expect(older.nextCursor).toBeUndefined();
      expect((await store.readMessages(S, { limit: 9, role: "assistant" })).messages).toHaveLength(1);
      const short = await store.readMessages(S, { limit: 9, maxBytes: 1 });
      expect(short.messages.map(({ id }) => id)).toEqual(["e"]);
      const after = await store.readMessages(S, { limit: 9, maxBytes: 1_000_000, cursor: short.nextCursor ?? "" });
      expect(after.nextCursor).toBeUndefined();
      expect(after.bytes).toBe(after.messages.reduce((sum, one) => sum + JSON.stringify(one).length, 0));
      expect(after.messages.map(({ id }) => id)).toEqual(["a", "b", "c"]);
      await store.close();
    });

    test("a deleted session is found by no read at once, and drops slice by slice leave nothing of it", async () => {
      const made = await opened();
      const { store } = made;
      const other = sessionId("other");
      const rowsOf = (id: SessionId): StoreWrite[] => [
        { kind: "session", row: sessionRow(id) },
        ...["a", "b", "c"].map((m): StoreWrite => ({ kind: "message", sessionId: id, message: message(m, m) })),
        { kind: "promptPart", sessionId: id, id: messageId("m-1"), part: 0, bytes: Buffer.from("{}") },
        { kind: "turn", row: turn(id, "m-1", 1, { endedAt: 5, state: "completed" }), prompt: "{}" },
        { kind: "request", row: request(id, `r-${id}`, { resolvedAt: 3 }) },
        { kind: "segment", row: segment(id, 1, ["{}", "{}"]) },
        { kind: "segment", row: segment(id, 3, ["{}"]) },
      ];
      await store.commit([...rowsOf(S), ...rowsOf(other)]);
      // Of a session that is there, nothing is dropped.
      await store.commit([{ kind: "dropDraft", sessionId: S, rows: 100 }]);
      expect(await store.countMessages(S)).toBe(3);
      await store.commit([{ kind: "deleteSession", sessionId: S }]);
      expect(await store.readSession(S)).toBeUndefined();
      expect((await store.listSessions({ limit: 9 })).map(({ id }) => id)).toEqual([other]);
      expect(await store.drafts()).toEqual([S]);
      const next = (await made.reopen()).store;
      let slices = 0;
      for (; (await next.drafts()).includes(S); slices += 1)
        await next.commit([{ kind: "dropDraft", sessionId: S, rows: 2 }]);
      expect(slices).toBe(5);
      expect(await next.countMessages(S)).toBe(0);
      expect(await next.readTurn(S, messageId("m-1"))).toBeUndefined();
      expect(await next.readPrompt(S, messageId("m-1"))).toBeUndefined();
      expect(await next.readPromptParts(S, messageId("m-1"))).toEqual([]);
      expect(await next.readRequest(`r-${S}`)).toBeUndefined();
      expect(await next.journalBounds(S)).toEqual({ firstSeq: 1, lastSeq: 0, lastPosition: undefined });
      expect(await next.countMessages(other)).toBe(3);
      expect(await next.readRequest(`r-${other}`)).toBeDefined();
      expect((await next.readEntries(other, 1, 1_000)).entries).toHaveLength(3);
      // The id is free again, for a journal that begins anew.
      await next.commit([
        { kind: "session", row: sessionRow(S) },
        { kind: "segment", row: segment(S, 1, ["{}"]) },
      ]);
      expect((await next.journalBounds(S)).lastSeq).toBe(1);
      await next.close();
    });

    test("what arrives of a session is found by no read until it is served, and a session that was moved away leaves its mark", async () => {
      const made = await opened();
      const row = sessionRow(S, { owner: "k" });
      const arrival = { moveId: "v-1", cursor: "turn:1", at: 5 };
      await made.store.commit([
        { kind: "arriving", row, arrival },
        { kind: "message", sessionId: S, message: message("a", "a") },
        { kind: "turn", row: turn(S, "m-1", 1), prompt: "{}" },
        { kind: "request", row: request(S, "r-1") },
      ]);
      const { store } = made;
      expect(await store.readSession(S)).toBeUndefined();
      expect(await store.readMoving(S)).toMatchObject({ state: "arriving", row: { id: S }, arrival });
      expect(await store.arrivingSessions()).toEqual([S]);
      expect([await store.drafts(), await store.openTurns(), await store.pendingRequests()]).toEqual([[], [], []]);
      expect(await store.countSessions("k")).toBe(0);
      await store.commit([
        { kind: "session", row },
        { kind: "raiseEpoch", epoch: 9_000_000_000 },
      ]);
      expect(await store.readMoving(S)).toBeUndefined();
      expect(await store.openTurns()).toMatchObject([{ id: "m-1" }]);
      const mark = { sessionId: S, owner: "k", moveId: "v-2", to: "m-2", movedAt: 7 };
      await store.commit([{ kind: "moved", mark }]);
      const next = await made.reopen();
      expect(next.epoch).toBeGreaterThan(9_000_000_000);
      expect(await next.store.readSession(S)).toBeUndefined();
      expect([await next.store.openTurns(), await next.store.pendingRequests()]).toEqual([[], []]);
      for (let slice = 0; (await next.store.drafts()).includes(S) && slice < 9; slice += 1)
        await next.store.commit([{ kind: "dropDraft", sessionId: S, rows: 2 }]);
      expect(await next.store.drafts()).toEqual([]);
      expect(await next.store.countMessages(S)).toBe(0);
      expect(await next.store.readMoving(S)).toEqual({ state: "moved", mark });
      await next.store.commit([{ kind: "forgetMoved", before: 8 }]);
      expect(await next.store.readMoving(S)).toBeUndefined();
      await next.store.close();
    });

    test("sessions are listed newest first, and paging by time loses none of one millisecond", async () => {
      const { store } = await opened();
      const rows = [10, 20, 20, 20, 30].map((updatedAt, index) => sessionRow(sessionId(`s-${index}`), { updatedAt }));
      await store.commit(rows.map((row) => ({ kind: "session", row }) as const));
      const first = await store.listSessions({ limit: 2 });
      expect(first.map(({ id }) => id)).toEqual(["s-4", "s-1", "s-2", "s-3"]);
      const rest = await store.listSessions({ limit: 2, updatedBefore: first.at(-1)?.updatedAt ?? 0 });
      expect(rest.map(({ id, messagesCount }) => [id, messagesCount])).toEqual([["s-0", 0]]);
      await store.close();
    });

    test("a turn is open until it has an end, and ordinals count the ended ones too", async () => {
      const { store } = await opened();
      await store.commit([
        { kind: "turn", row: turn(S, "t-1", 1) },
        { kind: "turn", row: turn(S, "t-2", 2) },
        { kind: "turn", row: turn(S, "t-1", 1, { state: "completed", reason: "completed", endedAt: 9 }) },
        { kind: "turn", row: turn(sessionId("s-0"), "t-1", 4) },
      ]);
      expect((await store.openTurns(S)).map(({ id }) => id)).toEqual(["t-2"]);
      expect((await store.openTurns()).map((row) => [row.sessionId, row.id])).toEqual([
        ["s-0", "t-1"],
        ["s-1", "t-2"],
      ]);
      expect(await store.lastTurnOrdinal(S)).toBe(2);
      expect((await store.turnsBelow(S, 3, 10)).map(({ id }) => id)).toEqual(["t-2", "t-1"]);
      expect((await store.turnsBelow(S, 3, 1)).map(({ id }) => id)).toEqual(["t-2"]);
      expect((await store.turnsBelow(S, 2, 10)).map(({ id }) => id)).toEqual(["t-1"]);
      expect(await store.lastTurnOrdinal(sessionId("none"))).toBe(0);
      expect((await store.readTurn(S, messageId("t-1")))?.state).toBe("completed");
      await store.close();
    });

    test("a prompt is kept with the first row of its turn, and read by itself", async () => {
      const { store, reopen } = await opened();
      const prompt = JSON.stringify({ text: "\ud800 \u0000 text" });
      await store.commit([{ kind: "turn", row: turn(S, "t-1", 1), prompt }]);
      await store.commit([{ kind: "turn", row: turn(S, "t-1", 1, { state: "running" }) }]);
      expect(await store.readPrompt(S, messageId("t-1"))).toBe(prompt);
      expect(await store.readPrompt(S, messageId("t-2"))).toBeUndefined();
      const { store: next } = await reopen();
      expect(await next.readPrompt(S, messageId("t-1"))).toBe(prompt);
      await next.close();
    });

    test("a request is pending until it has an outcome, and children are listed until they are gone", async () => {
      const { store } = await opened();
      const request = {
        id: "q-1",
        sessionId: S,
        turnId: undefined,
        method: "ask_user",
        params: "{}",
        outcome: undefined,
        createdAt: 1,
        resolvedAt: undefined,
      } as const;
      await store.commit([
        { kind: "request", row: request },
        { kind: "request", row: { ...request, id: "q-2", sessionId: sessionId("s-2") } },
        { kind: "agentProcess", row: { pid: 42, startTime: "9", sessionId: S, instanceId: "i-1" } },
        { kind: "agentProcess", row: { pid: 41, startTime: "8", sessionId: S, instanceId: "i-1" } },
      ]);
      expect((await store.pendingRequests()).map(({ id }) => id)).toEqual(["q-1", "q-2"]);
      await store.commit([
        { kind: "request", row: { ...request, outcome: '{"cancelled":true}', resolvedAt: 5 } },
        { kind: "agentProcessGone", pid: 42 },
      ]);
      expect(await store.pendingRequests(S)).toEqual([]);
      expect((await store.readRequest("q-1"))?.outcome).toBe('{"cancelled":true}');
      expect((await store.agentProcesses()).map(({ pid }) => pid)).toEqual([41]);
      await store.close();
    });

    test("ids and text of any characters come back whole", async () => {
      const { store } = await opened();
      const odd = sessionId("__proto__\0\ud800'\"\n");
      const text = "nul \0, lone \udfff, newline \n, quote '";
      await store.commit([
        { kind: "session", row: sessionRow(odd, { title: text }) },
        { kind: "message", sessionId: odd, message: message("\0", text) },
        { kind: "segment", row: segment(odd, 1, [JSON.stringify(text)]) },
      ]);
      expect((await store.readSession(odd))?.title).toBe(text);
      expect((await store.readMessages(odd, { limit: 1 })).messages).toEqual([message("\0", text)]);
      expect((await store.readEntries(odd, 1, 1)).entries).toEqual([JSON.stringify(text)]);
      await store.close();
    });
  });
}
