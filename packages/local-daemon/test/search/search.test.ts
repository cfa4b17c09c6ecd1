import { sessionId } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store } from "../../src/storage/store.js";
import { message, sessionRow } from "../storage/store-contract.js";
import { Searching, tell } from "./searching.js";

const S = sessionId("s-1");

/** What a person typed in one language, what they look for in it, and what is not there. */
const LANGUAGES: readonly {
  language: string;
  text: string;
  found: readonly string[];
  missing: readonly string[];
}[] = [
  {
    language: "English",
    text: "Fix the payment-retry logic in loadUserProfileFromCache, see user_profile_cache.ts",
    found: ["payment", "PAY", "retry payment", "UserProfile", "user prof", "FromCache", "cache", "loadUser", "ts"],
    missing: ["ayment", "pay the", "ProfileUser", "serProfile"],
  },
  {
    language: "French, NFD",
    text: "Créez l’échéancier à côté du modèle dépôt".normalize("NFD"),
    found: ["créez", "CREEZ", "échéancier", "echeancier cote", "modèle", "dépô"],
    missing: ["réez", "depots"],
  },
  {
    language: "German",
    text: "Die Größe der Straßenübersicht überprüfen",
    found: ["größe", "GROSSE", "grösse", "strassenübersicht", "Straßen", "uberpru"],
    missing: ["übersicht", "strasse die Grossen"],
  },
  {
    language: "Russian",
    text: "Йогурт и ёлка: проверить платёж",
    found: ["йогурт", "йогурт".normalize("NFD"), "ЁЛКА", "елка", "платеж", "провер"],
    missing: ["огурт", "оплата"],
  },
  {
    language: "Greek",
    text: "Έλεγχος πληρωμής και ΛΟΓΟΣ λάθους",
    found: ["πληρωμής", "πληρωμης", "ΠΛΗΡΩΜΉΣ", "λόγος", "λογος", "ελεγχοσ"],
    missing: ["ηρωμής", "πληρωμών"],
  },
  {
    language: "Japanese",
    text: "支払いの再試行ロジックを修正し、デプロイする。ｻｰﾊﾞｰ",
    found: ["支払い", "再試行", "修正", "デプロイ", "デプロイ".normalize("NFD"), "ロ", "サーバー", "ーバ", "を修"],
    missing: ["試再", "デプロ修", "支正"],
  },
  {
    language: "Chinese",
    text: "修改youer服务端的计划，明天下午三点开项目评审会议",
    found: ["会议", "服务端", "youer", "改youer服", "议", "三点开项目 计划", "修改YOUER服务端的计划"],
    missing: ["议会", "服端", "ouer"],
  },
  {
    language: "Korean",
    text: "결제재시도로직을 고쳐주세요",
    found: ["재시도", "재시도".normalize("NFD"), "로직", "직", "고쳐", "결제 고쳐"],
    missing: ["시재", "도결"],
  },
  {
    language: "Thai",
    text: "แก้ไขการชำระเงินซ้ำ",
    found: ["ชำระเงิน", "การ", "แก้ไข", "ซ้ำ", "เงิน"],
    missing: ["เงินการ", "ซำ้ระ"],
  },
  {
    language: "Arabic",
    text: "أصلِحْ منطقَ إعادة الدّفع",
    found: ["اصلح", "منطق", "إعادة", "اعادة الدفع", "الدّف"],
    missing: ["دفع", "المنطق"],
  },
  {
    language: "Hindi",
    text: "भुगतान की पुनः कोशिश ठीक करें",
    found: ["भुगतान", "कोशिश", "ठीक कर", "भुगत"],
    missing: ["गतान", "भगतान"],
  },
];

describe.each([
  ["by reading a memory store", () => new MemoryStore()],
  ["in the index of a SQLite store", () => new SqliteStore({ path: ":memory:" })],
])("search %s", (_name, make: () => Store) => {
  async function opened() {
    const store = make();
    await store.open();
    return { store, search: new Searching(store) };
  }

  test.each(LANGUAGES)("finds what a person types in $language", async ({ text, found, missing }) => {
    const { store, search } = await opened();
    await tell(store, S, { wanted: text, other: "nothing of it" });
    const outcomes = async (queries: readonly string[]) =>
      Promise.all(queries.map(async (query) => [query, await search.ids(query)]));
    for (const query of [...found, text]) expect([query, await search.ids(query)]).toEqual([query, ["wanted"]]);
    expect(await outcomes(missing)).toEqual(missing.map((query) => [query, []]));
    await search.close();
    await store.close();
  });

  test("a key finds its own sessions only, and the person finds all", async () => {
    const { store, search } = await opened();
    await tell(store, sessionId("mine"), { a: "secret word" });
    await tell(store, sessionId("of-k1"), { b: "secret word" }, "k1");
    await tell(store, sessionId("of-k2"), { c: "another word" }, "k2");
    expect(await search.ids("secret", "k1")).toEqual(["b"]);
    expect(await search.ids("secret", "k2")).toEqual([]);
    expect(await search.ids("secret", "unknown")).toEqual([]);
    expect(new Set(await search.ids("secret"))).toEqual(new Set(["a", "b"]));
    await search.close();
    await store.close();
  });

  test("each bound of a query is refused by its name and both numbers", async () => {
    const { store, search } = await opened();
    await tell(store, S, { a: "word" });
    const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");
    expect(await search.ids(words(32))).toEqual(["a"]);
    for (const [query, text] of [
      [{ query: words(33) }, /^query: 33 words .* 32\./],
      [{ query: "x".repeat(1_001) }, /^query: 1001 characters .* 1000\./],
      [{ query: "word", limitSessions: 101 }, /^limitSessions: 101 .* 100\./],
      [{ query: "word", limitHitsPerSession: 21 }, /^limitHitsPerSession: 21 .* 20\./],
      [{ query: "word", contextChars: 401 }, /^contextChars: 401 .* 400\./],
    ] as const) {
      await expect(search.rows(query)).rejects.toMatchObject({
        code: "INVALID_PARAMS",
        message: expect.stringMatching(text),
      });
    }
    await search.close();
    await store.close();
  });

  test("search finds every word, the last one by its beginning, and forgets changed and retracted messages", async () => {
    const { store, search } = await opened();
    const other = sessionId("s-2");
    await store.commit([
      { kind: "session", row: sessionRow(S, { updatedAt: 1 }) },
      { kind: "session", row: sessionRow(other, { updatedAt: 2 }) },
      { kind: "message", sessionId: S, message: message("m-1", "The quick brown Fóx jumps") },
      { kind: "message", sessionId: other, message: message("m-2", "a quick fix\0 for the fox") },
      { kind: "message", sessionId: other, message: message("m-3", "quick and gone") },
      { kind: "message", sessionId: other, message: message("m-4", "quick foxes, retracted") },
    ]);
    await store.commit([
      { kind: "message", sessionId: other, message: message("m-3", "slow") },
      { kind: "retractMessage", sessionId: other, messageId: "m-4" },
    ]);
    const found = await search.rows({ query: "quick FO" });
    expect(found.map(({ session, hits }) => [session.id, hits.map(({ docId }) => docId)])).toEqual([
      ["s-2", ["m-2"]],
      ["s-1", ["m-1"]],
    ]);
    expect(found[1]?.hits[0]?.snippets[0]).toContain("quick");
    expect(await search.rows({ query: "gone" })).toEqual([]);
    expect(await search.rows({ query: '" OR *' })).toEqual([]);
    expect(await search.rows({ query: "quick", limitSessions: 1 })).toHaveLength(1);
    await search.close();
    await store.close();
  });

  test("search tells words of the conversation from what tools were given and gave back", async () => {
    const { store, search } = await opened();
    const call = message("m-1", "look", {
      content: [{ type: "tool_use", id: "t-1", name: "Grep", input: { pattern: "needle" } }],
    });
    const result = message("m-2", "", {
      role: "tool",
      content: [{ type: "tool_result", toolUseId: "t-1", content: "needle in hay" }],
    });
    await store.commit([
      { kind: "session", row: sessionRow(S) },
      { kind: "message", sessionId: S, message: call },
      { kind: "message", sessionId: S, message: result },
    ]);
    const kinds = async (kind: string) =>
      (await search.rows({ query: "needle", kind })).flatMap(({ hits }) => hits.map(({ docId }) => docId));
    expect(await kinds("all")).toEqual(["m-2", "m-1"]);
    expect(await kinds("tool_use")).toEqual(["m-1"]);
    expect(await kinds("tool_result")).toEqual(["m-2"]);
    expect(await kinds("message_text")).toEqual([]);
    await search.close();
    await store.close();
  });
});
