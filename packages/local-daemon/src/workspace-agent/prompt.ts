import type { AddUserMessageParams } from "@daemon-sdk/protocol";

/** A received prompt. */
export interface Prompt {
  readonly params: AddUserMessageParams;
  /** Id of the user message and of its turn. */
  readonly messageId: string;
  /** JSON-RPC id of the request; `create_message` repeats it. */
  readonly requestId: string;
}
