/** Bounds and times of mail between machines of a fleet; no option changes them. */
export const EXCHANGE_LIMITS = {
  /** Letters for one machine that are published and that the network has not acknowledged. */
  lettersInFlight: 256,
  /** Pause after a letter could not be published. */
  publishAgainMs: 1_000,
  /** Pause after the report of a gap before letters are published again … */
  gapMs: 50,
  /** … and how long further reports of this gap, which are on their way, are of no consequence. */
  gapQuietMs: 2_000,
  /** Interval at which a machine is asked for a report that is missing. */
  checkMs: 2_000,
  /** Most checks that are skipped while its account stands still: letters are published again once a minute then. */
  mostSkippedChecks: 32,
  /** Senders on other machines that wait for an ACK and are remembered, the last ones. */
  rememberedSenders: 4_096,
} as const;
