/** Whether `value` is a JSON object: not null, not an array. Its keys are not checked. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
