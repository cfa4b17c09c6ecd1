import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Progress } from "../../src/cli/progress.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function terminal({ movesCursor = true, columns = 80 } = {}) {
  const written: string[] = [];
  const output = { write: (text: string) => void written.push(text), columns: () => columns, movesCursor };
  return { written, output };
}

test("what takes less than a second is not shown", () => {
  const { written, output } = terminal();
  const progress = new Progress("Starting", output);
  vi.advanceTimersByTime(999);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(5_000);
  expect(written).toEqual([]);
});

test("what takes longer says how long, gives way to other text, comes back, and leaves nothing behind", () => {
  const { written, output } = terminal();
  const progress = new Progress("Starting", output);
  vi.advanceTimersByTime(2_050);
  expect(written.at(-1)).toMatch(/Starting … [12] s$/);
  progress.hide();
  expect(written.at(-1)).toBe("\r\u001b[K");
  vi.advanceTimersByTime(100);
  expect(written.at(-1)).toContain("Starting");
  progress[Symbol.dispose]();
  expect(written.at(-1)).toBe("\r\u001b[K");
});

test("a narrow window cuts it, because a second row could not be erased", () => {
  const { written, output } = terminal({ columns: 10 });
  using _progress = new Progress("Starting the daemon", output);
  vi.advanceTimersByTime(1_000);
  expect(written.join("").replace("\r\u001b[K", "")).toHaveLength(9);
});

test("a terminal that moves no cursor gets one plain line", () => {
  const { written, output } = terminal({ movesCursor: false });
  using _progress = new Progress("Starting", output);
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual(["Starting …\n"]);
});
