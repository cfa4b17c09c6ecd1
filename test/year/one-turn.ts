import { messageId, type SessionId, type SessionMessage } from "@daemon-sdk/protocol";
import { MemoryStore } from "../../packages/local-daemon/src/storage/memory-store.js";
import type { StoreWrite, TurnRow } from "../../packages/local-daemon/src/storage/store.js";
import { Harness } from "../../packages/local-daemon/test/sessions/harness.js";

const SESSION = "the-session-of-the-sample";
const TURN = "the-turn-of-the-sample";
const ANSWER = "the-answer-of-the-sample";

/** What a turn stores: rows as they are at its end, and the segments of its entries. */
export interface TurnSample {
  readonly segments: readonly (readonly string[])[];
  readonly messages: readonly SessionMessage[];
  readonly turn: TurnRow;
  readonly prompt: string;
  /** Bytes of all of it. */
  readonly bytes: number;
}

class RecordingStore extends MemoryStore {
  readonly writes: StoreWrite[] = [];

  override async commit(writes: readonly StoreWrite[]): Promise<void> {
    this.writes.push(...writes);
    await super.commit(writes);
  }
}

/** Runs a turn with a fake agent on the daemon's own parts, and returns what it stored. */
export async function sampleTurn(): Promise<TurnSample> {
  const store = new RecordingStore();
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.createSession(SESSION);
  const agent = await harness.spawner.agentOf(SESSION);
  const from = store.writes.length;
  const text = "Please look at the failing test of the parser, and say in a few words what is wrong with it.";
  await client.result("add_user_message", { sessionId: SESSION, text, messageId: TURN });
  await agent.prompted(1);
  agent.message(TURN, "user", text);
  for (let piece = 0; piece < 6; piece += 1) {
    agent.delta(`word${piece} of the answer that comes in pieces, `, ANSWER);
    await new Promise((resolve) => setImmediate(resolve));
  }
  agent.message(ANSWER, "assistant", "The parser takes a comma at the end of a list for one more element. ".repeat(2));
  agent.end();
  await client.turnEnd(TURN);
  return summed(store.writes.slice(from));
}

function summed(writes: readonly StoreWrite[]): TurnSample {
  const segments: (readonly string[])[] = [];
  const messages = new Map<string, SessionMessage>();
  let turn: TurnRow | undefined;
  let prompt = "";
  for (const write of writes) {
    if (write.kind === "segment") segments.push(write.row.entries);
    if (write.kind === "message") messages.set(write.message.id, write.message);
    if (write.kind !== "turn") continue;
    turn = write.row;
    prompt = write.prompt ?? prompt;
  }
  if (turn?.endedAt === undefined) throw new TypeError("The sample's turn has no end.");
  const whole = { segments, messages: [...messages.values()], turn, prompt };
  return { ...whole, bytes: Buffer.byteLength(JSON.stringify(whole)) };
}

/** The writes of a session's turns, all of them as the sample; `times` are when each ended. */
export function turnsLike(sample: TurnSample, sessionId: SessionId, times: readonly number[]): StoreWrite[] {
  let seq = 0;
  return times.flatMap((endedAt, at): StoreWrite[] => {
    const id = messageId(`turn-${at}-of-${sessionId}`);
    const named = (text: string) =>
      text.replaceAll(SESSION, sessionId).replaceAll(TURN, id).replaceAll(ANSWER, `answer-${at}-of-${sessionId}`);
    const firstSeq = seq + 1;
    const segments = sample.segments.map((entries): StoreWrite => {
      const row = { sessionId, epoch: 1, firstSeq: seq + 1, createdAt: endedAt, entries: entries.map(named) };
      seq += entries.length;
      return { kind: "segment", row };
    });
    const turn: TurnRow = {
      ...sample.turn,
      sessionId,
      id,
      ordinal: at + 1,
      firstSeq,
      lastSeq: seq,
      createdAt: endedAt,
      endedAt,
    };
    return [
      ...segments,
      ...sample.messages.map((message): StoreWrite => {
        return { kind: "message", sessionId, message: { ...message, id: named(message.id) } };
      }),
      { kind: "turn", row: turn, prompt: named(sample.prompt) },
    ];
  });
}
