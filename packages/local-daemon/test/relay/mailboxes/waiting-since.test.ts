import { expect, test } from "vitest";
import { MAILBOX_LIMITS } from "../../../src/limits/index.js";
import { WaitingSince } from "../../../src/relay/mailboxes/waiting-since.js";

test("the age of mail is that of its oldest letter, and nothing waits behind the last one", () => {
  const since = new WaitingSince();
  for (let position = 1; position <= 50; position++) since.stored(position, position * 2_000);
  expect(since.oldest(0)).toBe(2_000);
  expect(since.oldest(10)).toBe(22_000);
  expect(since.oldest(50)).toBeUndefined();
  since.stored(51, 200_000);
  expect(since.oldest(50)).toBe(200_000);
});

test("however long an outbox fills, its ages are few, and none is too young", () => {
  const since = new WaitingSince();
  const last = 10_000;
  for (let position = 1; position <= last; position++) since.stored(position, position * 2_000);
  const ages = new Set<number>();
  for (let lowWater = 0; lowWater < last; lowWater++) {
    const oldest = since.oldest(lowWater) ?? Number.POSITIVE_INFINITY;
    expect(oldest).toBeLessThanOrEqual((lowWater + 1) * 2_000);
    ages.add(oldest);
  }
  expect(ages.size).toBeLessThanOrEqual(MAILBOX_LIMITS.ageMarks);
});
