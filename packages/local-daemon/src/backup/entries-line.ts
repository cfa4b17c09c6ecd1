import type { SessionId } from "@daemon-sdk/protocol";
import { EntryFrames } from "../journal/index.js";
import type { SegmentRow } from "../storage/index.js";
import type { SessionLine } from "./session-lines.js";

type EntriesLine = Extract<SessionLine, { type: "entries" }>;

/** A segment of a journal as a line: its entries are frames there, whatever the store of the daemon that reads it has of them. */
export function entriesLine({ sessionId, epoch, firstSeq, entries, createdAt }: SegmentRow): EntriesLine {
  const all = new EntryFrames(sessionId);
  const frames = entries.map((entry, index) => all.frameOf(entry, { epoch, seq: firstSeq + index }));
  return { type: "entries", sessionId, epoch, firstSeq, createdAt, frames };
}

/** The segment of a line. @param sessionId under which the session is stored here */
export function segmentOf(
  { epoch, firstSeq, frames, createdAt, ...line }: EntriesLine,
  sessionId: SessionId,
): SegmentRow {
  const all = new EntryFrames(line.sessionId);
  const entries = frames.map((frame, index) => all.ofFrame(frame, { epoch, seq: firstSeq + index }));
  return { sessionId, epoch, firstSeq, entries, createdAt };
}
