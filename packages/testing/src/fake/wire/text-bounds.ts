import { RpcCode, TEXT_LIMITS } from "@daemon-sdk/protocol";
import { rpcFault } from "./frames.js";

/** The bound of each string that stands directly in params, by its name (docs/protocol.md §1). */
const BOUND_OF: ReadonlyMap<string, keyof typeof TEXT_LIMITS> = new Map([
  ...names("idChars", "sessionId", "messageId", "requestId", "machineId", "connectionId", "workspaceId", "cursor"),
  ...names("nameChars", "caller", "agent", "name", "serverName", "type", "settingsLevel", "role", "kind", "modelId"),
  ...names("titleChars", "title", "forkTitle"),
  ...names("pathChars", "cwd", "command", "url"),
  ...names("credentialChars", "token", "apiKey", "proof", "ticket"),
  ...names("commentChars", "reason", "customInstructions"),
  ...names("searchQueryChars", "query"),
]);

function names(bound: keyof typeof TEXT_LIMITS, ...of: string[]): [string, keyof typeof TEXT_LIMITS][] {
  return of.map((name) => [name, bound]);
}

/** Throws for the first string that is longer than its bound, with the name of the bound and both numbers. */
export function checkTexts(params: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(params)) {
    const bound = BOUND_OF.get(name);
    if (bound === undefined || typeof value !== "string" || value.length <= TEXT_LIMITS[bound]) continue;
    const numbers = `${value.length} characters are too many, ${TEXT_LIMITS[bound]} are the limit (${bound})`;
    throw rpcFault(RpcCode.invalidParams, `Invalid params: params.${name}: ${numbers}`);
  }
}
