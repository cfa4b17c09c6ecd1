import {
  type AddUserMessageParams,
  type FileSource,
  type ImageSource,
  isRecord,
  RpcCode,
  RpcFault,
} from "@daemon-sdk/protocol";
import { textOf } from "./content.js";

/** What a prompt of ACP becomes. */
export type PromptContent = Pick<AddUserMessageParams, "text" | "images" | "files">;

/**
 * The content blocks of `session/prompt` as a message of ours: texts and links are its text, in their order; images, embedded texts
 * and PDF files are attached.
 *
 * @throws RpcFault -32602 for a block of another kind
 */
export function promptOf(blocks: readonly unknown[]): PromptContent {
  const texts: string[] = [];
  const images: ImageSource[] = [];
  const files: FileSource[] = [];
  for (const block of blocks) {
    if (!isRecord(block)) throw notTaken("a content block that is no object");
    if (block.type === "text") texts.push(textOf(block.text) ?? "");
    else if (block.type === "resource_link") texts.push(linkText(block));
    else if (block.type === "image") images.push(imageOf(block));
    else if (block.type === "resource" && isRecord(block.resource)) files.push(fileOf(block.resource));
    else throw notTaken(`a content block of type ${JSON.stringify(block.type)}`);
  }
  return {
    text: texts.join("\n"),
    ...(images.length > 0 && { images }),
    ...(files.length > 0 && { files }),
  };
}

function linkText({ name, uri }: Record<string, unknown>): string {
  return `[${textOf(name) ?? String(uri)}](${String(uri)})`;
}

function imageOf({ data, mimeType }: Record<string, unknown>): ImageSource {
  if (typeof data !== "string" || typeof mimeType !== "string") throw notTaken("an image without data and mimeType");
  return { type: "base64", data, mediaType: mimeType };
}

function fileOf({ uri, text, blob, mimeType }: Record<string, unknown>): FileSource {
  const name = { name: textOf(uri) ?? "file" };
  if (typeof text === "string") {
    const mime = textOf(mimeType);
    return { type: "text", mediaType: "text/plain", data: text, ...name, ...(mime !== undefined && { mime }) };
  }
  if (typeof blob !== "string" || mimeType !== "application/pdf") throw notTaken("a file that is neither text nor PDF");
  return { type: "base64", mediaType: "application/pdf", data: blob, ...name };
}

function notTaken(what: string): RpcFault {
  return new RpcFault(
    RpcCode.invalidParams,
    `The prompt holds ${what}, which is not taken. Send text, links, images or PDF files.`,
  );
}
