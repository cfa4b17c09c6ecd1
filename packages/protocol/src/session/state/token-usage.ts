import type { TokenUsage } from "../values.js";

/**
 * What was used since `before`: agents report the running total of their conversation. A total below `before` was counted from
 * the beginning of another conversation, and is all of it new.
 */
export function usageSince(total: TokenUsage, before: TokenUsage | undefined): TokenUsage {
  if (before === undefined) return total;
  const counts = Object.entries(total).map(([name, count]) => [name, since(count, Reflect.get(before, name))] as const);
  const isAnew = counts.some(([, count]) => typeof count === "number" && count < 0);
  return isAnew ? total : (Object.fromEntries(counts) as unknown as TokenUsage);
}

/** Keys that hold no number are kept as they are. */
function since(count: unknown, before: unknown): unknown {
  return typeof count === "number" && typeof before === "number" ? count - before : count;
}
