/** Bounds of the gateway, with their reasons. */
export const HTTP_LIMITS = {
  /** Body of one request. A message of the session wire has 16 MiB at most, and a prompt's images are a part of it. */
  bodyBytes: 12 * 1024 * 1024,
  /** Bodies of the longest length that one principal may have in requests that are not answered … */
  bodiesPerPrincipal: 4,
  /** … that all principals may have … */
  bodies: 16,
  /** … and what each body counts as at least: a connection that sends none of it costs as much. */
  bodyOverheadBytes: 16 * 1024,
  /** Open streams of events of one principal: a page for each of some people's sessions; each costs a waiting call of the daemon. */
  streamsPerPrincipal: 64,
  /** Open streams of all principals together. */
  streams: 4_096,
  /** Silence of a stream after which a comment is sent. Shorter than the 30 s after which proxies end a silent connection. */
  heartbeatMs: 15_000,
  /** Longest `wait` for a receipt, in seconds. Longer than most proxies allow. */
  waitSeconds: 60,
  /** Webhooks of one principal. Each follows a session. */
  webhooksPerPrincipal: 100,
  /** Characters of the address of a webhook. */
  urlChars: 2_048,
  /** How long a receiver of a webhook may take for its answer. */
  deliveryTimeoutMs: 10_000,
  /** Pause after the first failed delivery; it doubles with each further one. */
  deliveryPauseMs: 1_000,
  /** Longest pause between two deliveries. */
  deliveryPauseMaxMs: 300_000,
} as const;
