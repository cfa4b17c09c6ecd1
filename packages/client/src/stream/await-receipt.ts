import { METHODS, type Receipt } from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";
import { REASON_OF_STATE } from "../session/index.js";
import { patientCall, WAIT_MS } from "./patient-call.js";

/** Resolves with the final receipt of a message, of a session that need not be attached. The daemon waits, and is not polled. */
export async function awaitReceipt(
  calls: ConnectionCalls,
  sessionId: string,
  messageId: string,
  signal?: AbortSignal,
): Promise<Receipt> {
  const params = { sessionId, messageIds: [messageId], waitMs: WAIT_MS };
  for (;;) {
    const { receipts } = await patientCall(calls, METHODS.getReceipts, params, signal);
    const receipt = receipts[0] ?? { messageId, state: "unknown" };
    if (receipt.state === "unknown" || REASON_OF_STATE.has(receipt.state)) return receipt;
  }
}
