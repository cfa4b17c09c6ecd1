import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of the daemon's sockets, of its answers, and of what it takes; no option changes them. */
export const WIRE_LIMITS = {
  /** Connections that wait to be accepted: enough for a burst of reconnecting clients; the system caps it. */
  backlog: 511,
  /** Longest name of a peer, in UTF-16 units: it goes into every line of the log. */
  peerNameChars: 64,
  /** Longest text of an error: what a peer sent is named in it, and not sent back as a whole. */
  errorTextChars: 800,
  /** Conversation, requests or receipts in one answer: half a frame leaves room for everything beside them. */
  answerBytes: LIMITS.sessionFrameBytes / 2,
  /** Title that a session takes from its first prompt, in UTF-16 units: what a list can show. */
  titleChars: 80,
  /** Shortest key that a configuration may hold: a shorter one could be found by trying. */
  apiKeyChars: 16,
  /** Longest time that a timer of Node takes. */
  timerMs: 2 ** 31 - 1,
} as const;
