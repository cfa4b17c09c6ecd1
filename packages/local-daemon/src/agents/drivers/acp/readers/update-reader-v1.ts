import { isRecord } from "@daemon-sdk/protocol";
import type { AgentTerminals } from "./agent-terminals.js";
import type { CommonUpdates, KindReaders, Update } from "./common-updates.js";
import type { PermissionSubject, UpdateReader, UpdateReaderOptions } from "./update-reader.js";

/** Reads what an agent sends in version 1 of the protocol (docs/wire/acp.md#updates). */
export class UpdateReaderV1 implements UpdateReader {
  readonly #common: CommonUpdates;
  readonly #readers: KindReaders;

  constructor(options: UpdateReaderOptions, common: CommonUpdates, terminals: AgentTerminals) {
    this.#common = common;
    const tool = (update: Update) => {
      if (typeof update.toolCallId === "string") options.writer()?.tool(terminals.withOutput(update));
    };
    this.#readers = {
      ...common.kinds,
      // Our own prompt, echoed.
      user_message_chunk: () => {},
      tool_call: tool,
      tool_call_update: tool,
      plan: ({ entries }) => common.plan(entries),
      current_mode_update: ({ currentModeId }) => {
        if (typeof currentModeId === "string" && options.options().modeChanged(currentModeId)) options.onOptions();
      },
    };
  }

  read(update: Update): void {
    this.#common.dispatch(this.#readers, update);
  }

  /** Commands, modes and options of a new conversation come as updates, or are read by `SessionOptions`. */
  opened(): void {}

  permissionSubject({ toolCall }: Update): PermissionSubject | undefined {
    if (!isRecord(toolCall) || typeof toolCall.toolCallId !== "string") return undefined;
    return { toolCall: { ...toolCall, toolCallId: toolCall.toolCallId } };
  }
}
