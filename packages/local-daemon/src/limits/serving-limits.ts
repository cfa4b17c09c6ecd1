import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of what the daemon accepts and answers: sockets, credentials, texts. No option changes them. */
export const SERVING_LIMITS = {
  /** Connections that wait to be accepted: enough for a burst of reconnecting clients; the system caps it. */
  backlog: 511,
  /** Idle time of a TCP connection before keep-alive probes. */
  tcpKeepAliveMs: 30_000,
  /** Close time-out of an unauthenticated peer: enough to send the close frame, not to wait for an answer. */
  strangerCloseMs: 100,
  /** Longest path of a unix socket: macOS accepts 103 bytes, and Node 20 truncates longer ones without an error. */
  socketPathBytes: 103,
  /** Shortest key in a configuration: a shorter one could be guessed. */
  apiKeyChars: 16,
  /** Most unused tickets. */
  tickets: 1_000,
  /** Longest name of a peer, in UTF-16 units: each log line contains it. */
  peerNameChars: 64,
  /** Longest text of an error, which may name a peer's input but not repeat all of it. */
  errorTextChars: 800,
  /** Bytes of conversation, requests or receipts in one answer: half a frame, which leaves room for other fields. */
  answerBytes: LIMITS.sessionFrameBytes / 2,
  /** Prompts in one answer to `load_session` that are listed whole; of others their ids and their size. */
  queuedBytes: 1024 * 1024,
  /** JSON of the params of a session that only its agent knows. */
  agentParamsChars: 256 * 1024,
  /** Longest title from a session's first prompt, in UTF-16 units: what a list can show. */
  titleChars: 80,
  /** Longest time of a Node timer. */
  timerMs: 2 ** 31 - 1,
} as const;
