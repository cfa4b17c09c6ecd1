import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of what the daemon accepts and answers: sockets, credentials, texts. No option changes them. */
export const SERVING_LIMITS = {
  /** Connections that wait to be accepted: enough for a burst of reconnecting clients; the system caps it. */
  backlog: 511,
  /** Silence on a TCP connection after which the system asks whether the peer is there. */
  tcpKeepAliveMs: 30_000,
  /** Close of a peer that has not authenticated: time for its close frame to go out, and no more for an answer. */
  strangerCloseMs: 100,
  /** Longest path of a unix socket: macOS takes 103 bytes, and Node 20 cuts longer ones without an error. */
  socketPathBytes: 103,
  /** Shortest key that a configuration may hold: a shorter one could be found by trying. */
  apiKeyChars: 16,
  /** Tickets that wait to be used. */
  tickets: 1_000,
  /** Longest name of a peer, in UTF-16 units: it goes into every line of the log. */
  peerNameChars: 64,
  /** Longest text of an error: what a peer sent is named in it, and not sent back as a whole. */
  errorTextChars: 800,
  /** Conversation, requests or receipts in one answer: half a frame leaves room for everything beside them. */
  answerBytes: LIMITS.sessionFrameBytes / 2,
  /** JSON of the params of a session that only its agent knows. */
  agentParamsChars: 256 * 1024,
  /** Title that a session takes from its first prompt, in UTF-16 units: what a list can show. */
  titleChars: 80,
  /** Longest time that a timer of Node takes. */
  timerMs: 2 ** 31 - 1,
} as const;
