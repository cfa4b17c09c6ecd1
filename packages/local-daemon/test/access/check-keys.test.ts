import { InvalidOptionError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { checkKeys } from "../../src/access/check-keys.js";
import type { ConfiguredKey } from "../../src/access/key-policy.js";
import { configSchema } from "../../src/config-file/schema.js";

const KEY = "a-key-of-this-test-0";

test("keys are strings, or objects with a policy", () => {
  const full: ConfiguredKey = {
    ...{ key: KEY, name: "ci", cwd: ["/srv"], agents: ["droid"], autonomy: "low", approves: true },
    quotas: { openSessions: 1, liveAgents: 2, queuedBytes: 3, tickets: 4 },
  };
  const apiKeys = ["another-key-of-this-test", full];
  expect(() => checkKeys(apiKeys)).not.toThrow();
  expect(configSchema.safeParse({ apiKeys }).success).toBe(true);
});

test.each<[string, object, string]>([
  ["a field that is misspelt", { autonmy: "low" }, "apiKeys.0.autonmy"],
  ["a level that does not exist", { autonomy: "lowest" }, "apiKeys.0.autonomy"],
  ["a quota that is misspelt", { quotas: { session: 1 } }, "apiKeys.0.quotas.session"],
  ["a quota of nothing", { quotas: { tickets: 0 } }, "apiKeys.0.quotas.tickets"],
  ["no root at all", { cwd: [] }, "apiKeys.0.cwd"],
  ["no agent at all", { agents: [] }, "apiKeys.0.agents"],
  ["a key that can be guessed", { key: "short" }, "apiKeys"],
])("%s is refused by both ways into the configuration, by name and without the key", (_what, wrong, place) => {
  const apiKeys = [{ key: KEY, ...wrong }];
  expect(() => checkKeys(apiKeys)).toThrow(InvalidOptionError);
  expect(() => checkKeys(apiKeys)).toThrow(place);
  expect(() => checkKeys(apiKeys)).not.toThrow(KEY);
  expect(configSchema.safeParse({ apiKeys }).success).toBe(false);
});

test("a key that stands there twice is refused: which policy would hold?", () => {
  expect(() => checkKeys([KEY, { key: KEY, autonomy: "off" }])).toThrow(/each key once/);
});
