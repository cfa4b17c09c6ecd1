import type { AddUserMessageParams } from "@daemon-sdk/protocol";

/** A prompt as it arrived. */
export interface Prompt {
  readonly params: AddUserMessageParams;
  /** Id of the user message; it names the turn. */
  readonly messageId: string;
  /** JSON-RPC id of the request; `create_message` repeats it. */
  readonly requestId: string;
}
