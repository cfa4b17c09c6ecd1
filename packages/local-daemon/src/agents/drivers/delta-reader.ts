import {
  type Decoded,
  decodeFrame,
  isRecord,
  type NotificationEnvelope,
  type SessionNotification,
} from "@daemon-sdk/protocol";

/** What is the same in all frames of text deltas that one agent writes. */
interface Pattern {
  /** The text up to the notification. */
  readonly head: string;
  readonly envelope: NotificationEnvelope;
}

/** The beginnings of notifications that are read in the short way: nearly all that agents write. */
const DELTAS = ["assistant_text_delta", "thinking_text_delta"] as const;
const BODY = '"notification":';
/** What follows the notification. */
const TAIL = "}}";
/** Frames that are looked at for a pattern: an agent whose frames have none is read as any peer. */
const MOST_LOOKS = 16;

/**
 * Reads an agent's frames, those of text deltas in a short way: only the notification is parsed, where the rest of the text is
 * the same as in an earlier frame, and the JSON of the notification is taken from the frame as it is.
 */
export class DeltaReader {
  #pattern: Pattern | undefined;
  #looks = 0;
  /** The last frame that was read in the short way, and its notification. */
  #lastFrame = "";
  #lastJson = "";

  /** As `decodeFrame`, and with the same result. */
  readonly decode = (frame: string): Decoded => {
    const pattern = this.#pattern;
    const envelope = pattern && this.#short(frame, pattern);
    if (envelope !== undefined) return { ok: true, envelope };
    const decoded = decodeFrame(frame);
    if (decoded.ok && decoded.envelope.type === "notification" && this.#looks < MOST_LOOKS)
      this.#look(frame, decoded.envelope);
    return decoded;
  };

  /** JSON of the notification of the frame that was decoded last; undefined where that was not read in the short way. */
  jsonOf(frame: string): string | undefined {
    return frame === this.#lastFrame ? this.#lastJson : undefined;
  }

  #short(frame: string, { head, envelope }: Pattern): NotificationEnvelope | undefined {
    if (!frame.startsWith(head) || !frame.endsWith(TAIL)) return undefined;
    const type = deltaAt(frame, head.length);
    if (type === undefined) return undefined;
    const json = frame.slice(head.length, -TAIL.length);
    const notification = flatObject(json);
    // A key may be there twice.
    if (notification?.type !== type) return undefined;
    this.#lastFrame = frame;
    this.#lastJson = json;
    return { ...envelope, params: { ...envelope.params, notification } };
  }

  /** Takes the frame of a delta as the pattern where its text is that of an envelope around any notification. */
  #look(frame: string, envelope: NotificationEnvelope): void {
    const at = frame.indexOf(BODY) + BODY.length;
    if (at < BODY.length || deltaAt(frame, at) === undefined || !frame.endsWith(TAIL)) return;
    this.#looks++;
    const { _meta, params } = envelope;
    // A copy: a part of the text would keep all that was read with it.
    const head = Buffer.from(frame.slice(0, at)).toString();
    const empty = { ...envelope, params: { ...params, notification: null } };
    if (_meta === undefined && isSameJson(`${head}null${TAIL}`, empty)) this.#pattern = { head, envelope };
  }
}

/** The type of the delta whose JSON begins there. */
function deltaAt(frame: string, at: number): string | undefined {
  return DELTAS.find((type) => frame.startsWith(`{"type":"${type}",`, at));
}

/** A JSON object whose values are no containers, and so hold nothing that `decodeFrame` refuses. */
function flatObject(json: string): SessionNotification | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  for (const key in value) {
    if (key === "__proto__" || (typeof value[key] === "object" && value[key] !== null)) return undefined;
  }
  return value as SessionNotification;
}

function isSameJson(json: string, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(json)) === JSON.stringify(value);
  } catch {
    return false;
  }
}
