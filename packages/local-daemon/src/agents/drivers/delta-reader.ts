import {
  type Decoded,
  decodeFrame,
  isRecord,
  type NotificationEnvelope,
  type SessionNotification,
} from "@daemon-sdk/protocol";

/** What is the same in all frames of one kind of text delta that one agent writes. */
interface Pattern {
  /** The text up to the second key of the notification. */
  readonly head: string;
  /** Where in it the notification begins. */
  readonly at: number;
  readonly type: string;
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
  /** By type. */
  readonly #patterns = new Map<string, Pattern>();
  /** The one that fitted last. */
  #pattern: Pattern | undefined;
  #looks = 0;
  /** The last frame that was read in the short way, and its notification. */
  #lastFrame = "";
  #lastJson = "";

  /** As `decodeFrame`, and with the same result. */
  readonly decode = (frame: string): Decoded => {
    const pattern = this.#fitting(frame);
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

  #fitting(frame: string): Pattern | undefined {
    if (this.#pattern === undefined || fits(frame, this.#pattern)) return this.#pattern;
    for (const pattern of this.#patterns.values()) {
      if (!fits(frame, pattern)) continue;
      this.#pattern = pattern;
      return pattern;
    }
    return undefined;
  }

  #short(frame: string, { at, type, envelope }: Pattern): NotificationEnvelope | undefined {
    const json = frame.slice(at, -TAIL.length);
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
    const type = DELTAS.find((delta) => frame.startsWith(beginning(delta), at));
    if (type === undefined || at < BODY.length || !frame.endsWith(TAIL)) return;
    this.#looks++;
    const { _meta, params } = envelope;
    const empty = { ...envelope, params: { ...params, notification: null } };
    if (_meta !== undefined || !isSameJson(`${frame.slice(0, at)}null${TAIL}`, empty)) return;
    // A copy: a part of the text would keep all that was read with it.
    const head = Buffer.from(frame.slice(0, at) + beginning(type)).toString();
    this.#pattern = { head, at, type, envelope };
    this.#patterns.set(type, this.#pattern);
  }
}

function beginning(type: string): string {
  return `{"type":"${type}",`;
}

/** By comparing strings: `startsWith` goes from unit to unit, and takes three times as long. */
function fits(frame: string, { head }: Pattern): boolean {
  return frame.slice(0, head.length) === head && frame.endsWith(TAIL);
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
