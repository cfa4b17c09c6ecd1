import { ProtocolError } from "@daemon-sdk/protocol";

/** One frame of a recording. */
export interface RecordedFrame {
  /** Milliseconds since the recording began. */
  readonly at: number;
  readonly direction: "to-daemon" | "to-client";
  readonly frame: Record<string, unknown>;
}

/** A recorded connection: JSON Lines of {@link RecordedFrame}, or the frames themselves. */
export type Recording = string | readonly RecordedFrame[];

/** The frames of a recording. @throws ProtocolError that names an invalid line */
export function readRecording(recording: Recording): readonly RecordedFrame[] {
  if (typeof recording !== "string") return recording;
  return recording.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [readLine(line, index + 1)]));
}

function readLine(line: string, number: number): RecordedFrame {
  const value = parse(line);
  if (isRecordedFrame(value)) return value;
  const expected = '{"at": ms, "direction": "to-daemon" or "to-client", "frame": {…}}';
  throw new ProtocolError("PROTOCOL_VIOLATION", `Line ${number} of the recording is not of the form ${expected}.`);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRecordedFrame(value: unknown): value is RecordedFrame {
  if (typeof value !== "object" || value === null || !("frame" in value) || !("direction" in value)) return false;
  const { frame, direction } = value;
  return typeof frame === "object" && frame !== null && (direction === "to-daemon" || direction === "to-client");
}
