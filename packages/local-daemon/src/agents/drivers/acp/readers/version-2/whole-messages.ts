import { readContent, recordsOf } from "../../content.js";
import type { TurnWriter } from "../../turn-writer.js";

type Kind = "text" | "thinking";
type Update = Readonly<Record<string, unknown>>;

/**
 * Messages that the agent sends as a whole, beside their chunks or in place of them (docs/wire/acp.md#version-2). A client of ours
 * gets each text once: what the chunks lack is added, and a text that is another one takes the place of the former.
 */
export class WholeMessages {
  /** Texts until now, by kind and the agent's id. */
  readonly #texts = new Map<string, string>();
  #writer: TurnWriter | undefined;

  /** Notes a chunk of a message. */
  chunk(kind: Kind, writer: TurnWriter | undefined, { messageId, content }: Update): void {
    const block = readContent(content);
    if (block?.type !== "text" || writer === undefined) return;
    this.#startAnew(writer);
    const key = `${kind} ${String(messageId)}`;
    this.#texts.set(key, (this.#texts.get(key) ?? "") + block.text);
  }

  /** Returns the chunks that bring the message to its new content. Takes back the former text when the content is another. */
  replace(kind: Kind, writer: TurnWriter | undefined, { messageId, content }: Update): Update[] {
    if (content === undefined || writer === undefined || typeof messageId !== "string") return [];
    this.#startAnew(writer);
    const key = `${kind} ${messageId}`;
    const before = this.#texts.get(key);
    const blocks = recordsOf(content).filter((block) => readContent(block) !== undefined);
    const text = blocks.map((block) => textIn(block)).join("");
    if (text === before) return [];
    if (before !== undefined && !text.startsWith(before)) writer.retractMessage(messageId);
    else if (before !== undefined) return [{ messageId, content: { type: "text", text: text.slice(before.length) } }];
    this.#texts.delete(key);
    return blocks.map((block) => ({ messageId, content: block }));
  }

  /** Ids are unique within a turn for us: texts of former turns are not kept. */
  #startAnew(writer: TurnWriter): void {
    if (this.#writer !== writer) this.#texts.clear();
    this.#writer = writer;
  }
}

function textIn(block: unknown): string {
  const read = readContent(block);
  return read?.type === "text" ? read.text : "";
}
