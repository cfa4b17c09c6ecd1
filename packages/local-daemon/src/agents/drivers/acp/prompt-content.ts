import { type AddUserMessageParams, isRecord, ProtocolError, RpcCode } from "@daemon-sdk/protocol";

/** What kinds of content an agent takes beside text and links (docs/wire/acp.md#content). */
export interface PromptCapabilities {
  readonly image: boolean;
  readonly embeddedContext: boolean;
}

export function promptCapabilities(agentCapabilities: unknown): PromptCapabilities {
  const offered = isRecord(agentCapabilities) ? agentCapabilities.promptCapabilities : undefined;
  const has = (name: string) => isRecord(offered) && Boolean(offered[name]);
  return { image: has("image"), embeddedContext: has("embeddedContext") };
}

/**
 * A prompt as content blocks, the user's text last. Throws a `ProtocolError` (`INVALID_PARAMS`) for an image or a PDF that the agent
 * does not take.
 */
export function promptContent(
  { text, images = [], files = [] }: Pick<AddUserMessageParams, "text" | "images" | "files">,
  takes: PromptCapabilities,
): Record<string, unknown>[] {
  if (images.length > 0 && !takes.image) throw notTaken("images");
  return [
    ...images.map(({ data, mediaType }) => ({ type: "image", data, mimeType: mediaType })),
    ...files.map((file) => fileBlock(file, takes)),
    { type: "text", text },
  ];
}

type File = NonNullable<AddUserMessageParams["files"]>[number];

function fileBlock(file: File, { embeddedContext }: PromptCapabilities): Record<string, unknown> {
  const uri = `attachment:///${encodeURIComponent(file.name ?? "file")}`;
  if (file.type === "text") {
    if (!embeddedContext) return { type: "text", text: `${file.name ?? "File"}:\n${file.data}` };
    return { type: "resource", resource: { uri, text: file.data, mimeType: file.mime ?? file.mediaType } };
  }
  if (!embeddedContext) throw notTaken("PDF files");
  return { type: "resource", resource: { uri, blob: file.data, mimeType: file.mediaType } };
}

function notTaken(what: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", `This agent takes no ${what}. Send the prompt without them.`, {
    rpcCode: RpcCode.invalidParams,
  });
}
