import type { MessageBlock, SessionMessage } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { SearchHitRow } from "./store.js";

/**
 * Kinds of text in one message, as `search_sessions` names them (docs/wire/session.md#session-lists); the place is the
 * number in the index.
 */
export const TEXT_KINDS = ["message_text", "tool_use", "tool_result", "document"] as const;

/** Kind of a piece of a message's text. */
export type TextKind = (typeof TEXT_KINDS)[number];

/** A word as the tokenizer of the index sees it. */
const WORDS = /[\p{L}\p{N}\p{Co}]+/gu;

/** One piece of a message that can be found. */
export interface SearchableText {
  readonly kind: TextKind;
  readonly text: string;
  readonly toolName: string | undefined;
}

/** What of a message can be found, one piece for each kind it holds. */
export function searchableTexts(message: SessionMessage): SearchableText[] {
  const pieces = new Map<TextKind, { texts: string[]; toolName: string | undefined }>();
  const add = (kind: TextKind, text: string, toolName?: string) => {
    const piece = pieces.get(kind) ?? { texts: [], toolName };
    piece.texts.push(text);
    pieces.set(kind, piece);
  };
  for (const block of message.content) addBlock(block, add);
  return [...pieces].map(([kind, { texts, toolName }]) => ({
    kind,
    text: texts.join("\n").slice(0, STORAGE_LIMITS.searchedChars),
    toolName,
  }));
}

function addBlock(block: MessageBlock, add: (kind: TextKind, text: string, toolName?: string) => void): void {
  switch (block.type) {
    case "text":
      add("message_text", String(block.text));
      break;
    case "tool_use":
      add("tool_use", `${block.name} ${JSON.stringify(block.input ?? {})}`, String(block.name));
      break;
    case "tool_result":
      add("tool_result", typeof block.content === "string" ? block.content : JSON.stringify(block.content ?? ""));
      break;
    case "document":
      add("document", JSON.stringify(block.source ?? ""));
      break;
    default:
      break;
  }
}

/** Words of a text in the form they are compared in: lower case, without accents. */
export function wordsOf(text: string): string[] {
  return fold(text).match(WORDS) ?? [];
}

/** Case and accents do not count; the length stays, so that places in the folded text are places in the text. */
function fold(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => unit.toLowerCase().normalize("NFD").charAt(0)).toLowerCase();
}

/** The words as a query of the index: all of them, the last one as the beginning of a word. Undefined when there are none. */
export function indexQuery(query: string): string | undefined {
  const words = wordsOf(query);
  return words.length === 0 ? undefined : `${words.map((word) => `"${word}"`).join(" ")}*`;
}

/** Looks for every word in one piece of text; undefined when one is missing. */
export function findIn(
  piece: SearchableText,
  query: string,
  contextChars: number,
): Pick<SearchHitRow, "kind" | "toolName" | "snippets" | "score"> | undefined {
  const wanted = wordsOf(query);
  const prefix = wanted.pop();
  if (prefix === undefined) return undefined;
  const found = [...fold(piece.text).matchAll(WORDS)];
  const words = new Set(found.map(([word]) => word));
  if (!wanted.every((word) => words.has(word)) || !found.some(([word]) => word.startsWith(prefix))) return undefined;
  const places = found.filter(([word]) => word.startsWith(prefix) || wanted.includes(word));
  const snippets = places
    .slice(0, STORAGE_LIMITS.searchSnippets)
    .map(({ index }) => cut(piece.text, index, contextChars));
  return { kind: piece.kind, toolName: piece.toolName, snippets: [...new Set(snippets)], score: places.length };
}

function cut(text: string, at: number, contextChars: number): string {
  const from = Math.max(0, at - contextChars);
  const to = Math.min(text.length, at + contextChars);
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`;
}
