import type { SessionLog } from "../journal/index.js";
import type { Store, TurnRow } from "../storage/index.js";
import { readPromptOutline } from "./prompts.js";

/** Appends the end of a queued message that no agent got. */
export async function discardQueued(
  log: SessionLog,
  store: Pick<Store, "readPrompt" | "readPromptParts">,
  row: TurnRow,
): Promise<void> {
  const text = await readPromptOutline(store, row).then(
    (prompt) => prompt.text,
    () => "",
  );
  log.append({ type: "queued_messages_discarded", text, requestId: row.requestId });
  log.append({ type: "agent_turn_completed", reason: "cancelled", turnId: row.id });
  const { lastSeq } = log;
  log.save({ kind: "turn", row: { ...row, firstSeq: lastSeq - 1, lastSeq } });
}
