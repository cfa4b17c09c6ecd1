import { isDeepStrictEqual } from "node:util";
import { type AddUserMessageParams, DaemonError, type MessageId, type SessionId } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { Store, StoreWrite, TurnRow } from "../storage/index.js";

/** The params of a large message, as they came: they are stored as that, and never parsed as a whole. */
export interface LargePrompt {
  /** JSON of the params in UTF-8. Emptied while they are stored. */
  readonly parts: Uint8Array[];
  readonly bytes: number;
  /** SHA-256 of the JSON. */
  readonly digest: string;
}

type PromptRow = Pick<TurnRow, "sessionId" | "id" | "promptBytes" | "promptDigest">;
type PromptStore = Pick<Store, "readPrompt" | "readPromptParts">;

/** Writes of a large prompt, a slice at a time, so that the loop serves others between two of them. What was returned is dropped. */
export function* promptSlices(
  sessionId: SessionId,
  id: MessageId,
  { parts }: LargePrompt,
): IterableIterator<StoreWrite[]> {
  for (let part = 0; parts.length > 0; ) {
    const slice: StoreWrite[] = [];
    for (let bytes = 0; bytes < STORAGE_LIMITS.promptSliceBytes; ) {
      const next = parts.shift();
      if (next === undefined) break;
      bytes += next.length;
      slice.push({ kind: "promptPart", sessionId, id, part: part++, bytes: next });
    }
    yield slice;
  }
}

/** The whole prompt of a turn. Rejects with `STORAGE_FAILED` when the store no longer has it. */
export async function readPrompt(store: PromptStore, row: PromptRow): Promise<AddUserMessageParams> {
  const { sessionId, id, promptDigest } = row;
  if (promptDigest === undefined) return parsed(row, await store.readPrompt(sessionId, id));
  const text = Buffer.concat(await store.readPromptParts(sessionId, id)).toString();
  return { ...parsed(row, text), sessionId, messageId: id };
}

/** Whether a repeated message has the content that is stored; what a damaged store lost cannot be compared. */
export async function isSamePrompt(
  store: Pick<Store, "readPrompt">,
  { sessionId, id, promptDigest }: PromptRow,
  { prompt, large }: { readonly prompt: string; readonly large: LargePrompt | undefined },
): Promise<boolean> {
  if (promptDigest !== undefined || large !== undefined) return promptDigest === large?.digest;
  const stored = await store.readPrompt(sessionId, id);
  return stored === undefined || stored === prompt || isDeepStrictEqual(JSON.parse(stored), JSON.parse(prompt));
}

/** The prompt of a turn; of a large one its outline, whose texts are cut. */
export async function readPromptOutline(store: PromptStore, row: PromptRow): Promise<AddUserMessageParams> {
  return parsed(row, await store.readPrompt(row.sessionId, row.id));
}

function parsed({ id }: PromptRow, text: string | undefined): AddUserMessageParams {
  try {
    if (text !== undefined) return JSON.parse(text) as AddUserMessageParams;
  } catch {
    // A part is missing.
  }
  throw new DaemonError(
    "STORAGE_FAILED",
    `The store no longer has message ${id}. Send it again under another messageId.`,
  );
}
