/** Date and time to the second, in UTC, as the log has it. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
