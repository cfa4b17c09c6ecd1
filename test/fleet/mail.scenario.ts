import { SeededRandom } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { runMailKills } from "./mail-kills.js";

test("4000 messages between machines are delivered once and in order under 100 kills", {
  timeout: 900_000,
}, async () => {
  const random = new SeededRandom();
  const { faults, sent } = await runMailKills({ messages: 4_000, kills: 100, random });
  expect(faults, `seed ${random.seed}`).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(4_000);
});
