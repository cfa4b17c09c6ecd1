/** Bounds of moves of sessions to other machines; no option changes them. Durations in ms. */
export const MOVE_LIMITS = {
  /** Bytes of one piece of a session, about: what three programs hold of it at once. A single line may be larger. */
  pieceBytes: 256 * 1024,
  /** Longest wait for the running turn: what a timer can hold. */
  longestDrainMs: 2 ** 31 - 1,
  /** How long a machine remembers where a session went: clients that come later find it by the fleet. */
  markMs: 30 * 24 * 60 * 60_000,
  /** How long what has arrived of a session is kept while nothing more comes. The other machine has all of it until the end. */
  arrivalMs: 7 * 24 * 60 * 60_000,
} as const;
