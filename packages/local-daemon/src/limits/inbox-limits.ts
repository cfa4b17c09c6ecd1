import { SERVING_LIMITS } from "./serving-limits.js";

/** How many requests to the user may wait, and the bytes of their params; no option changes these. */
export const INBOX_LIMITS = {
  /** Of one session: the answer to `load_session` lists all of them. */
  session: { requests: 256, bytes: SERVING_LIMITS.answerBytes },
  /** Of all sessions of one principal: the daemon holds each request in memory, about three times. */
  principal: { requests: 4_096, bytes: 16 * 1024 * 1024 },
  /** In all. */
  daemon: { requests: 16_384, bytes: 64 * 1024 * 1024 },
} as const;
