const SECOND_MS = 1_000;
const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400 * SECOND_MS, "d"],
  [3_600 * SECOND_MS, "h"],
  [60 * SECOND_MS, "min"],
  [SECOND_MS, "s"],
];

/** How long ago that was, such as `3 h ago`. */
export function agoText(ms: number, now: number = Date.now()): string {
  const age = now - ms;
  const [unit, name] = UNITS.find(([each]) => age >= each) ?? [SECOND_MS, "s"];
  return age < SECOND_MS ? "now" : `${Math.floor(age / unit)} ${name} ago`;
}

/** Date and time to the second, in UTC, as the log has it. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
