import { isRecord } from "@daemon-sdk/protocol";

/** The text of a tool's result, which is a text or a list of blocks. */
export function textOfContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content === undefined ? "" : JSON.stringify(content, null, 2);
  return content.map(textOfBlock).join("\n");
}

function textOfBlock(block: unknown): string {
  if (!isRecord(block)) return String(block);
  return typeof block.text === "string" ? block.text : `[${String(block.type ?? "content")}]`;
}
