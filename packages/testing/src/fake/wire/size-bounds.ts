import { LIMITS, RpcCode } from "@daemon-sdk/protocol";
import { rpcFault } from "./frames.js";

/** Calls that hold a document or many paths (docs/protocol.md §1). */
const DOCUMENTS: ReadonlySet<string> = new Set(["answer_request", "execute_rewind"]);
const PROMPT = "add_user_message";

/**
 * Throws for a call that is larger than its method takes, with the name of the bound and both numbers.
 *
 * @param method without its prefix
 * @param units length of the call's text, which is as many bytes where it is ASCII
 */
export function checkSize(method: string | undefined, params: unknown, units: number): void {
  if (units <= LIMITS.callBytes) return;
  if (method === PROMPT) refuseOver("outlineBytes", units - leftOut(params));
  else refuseOver(DOCUMENTS.has(method ?? "") ? "documentCallBytes" : "callBytes", units);
}

function refuseOver(bound: "callBytes" | "documentCallBytes" | "outlineBytes", bytes: number): void {
  const most = LIMITS[bound];
  if (bytes <= most) return;
  const message = `The call has ${bytes} bytes, ${most} are the limit (${bound})`;
  throw rpcFault(RpcCode.internalError, message, { code: "MESSAGE_TOO_LARGE", retryable: false });
}

/** What does not count of the long texts in a value. */
function leftOut(value: unknown): number {
  if (typeof value === "string") return Math.max(0, value.length - LIMITS.outlineTextBytes);
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, one: unknown) => sum + leftOut(one), 0);
}
