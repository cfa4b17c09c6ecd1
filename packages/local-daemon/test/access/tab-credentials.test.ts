import { expect, test } from "vitest";
import { PERSON } from "../../src/access/principal.js";
import { TabCredentials } from "../../src/access/tab-credentials.js";
import { SERVING_LIMITS } from "../../src/limits/index.js";

test("a tab's credential holds 256 random bits and acts for whoever made its link, as often as it is used", () => {
  const tabs = new TabCredentials({ now: () => 1_000 });
  const key = { keyId: "k" };
  const { credential, expiresAt } = tabs.create(key);
  expect(credential).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(expiresAt).toBe(1_000 + SERVING_LIMITS.tabMs);
  expect([tabs.use(credential), tabs.use(credential)]).toEqual([key, key]);
  expect(tabs.use(`${credential}x`)).toBeUndefined();
  tabs.end(credential);
  expect(tabs.use(credential)).toBeUndefined();
});

test("it ends a working day after its last use, whatever somebody does to the wall clock", () => {
  let elapsed = 0;
  const tabs = new TabCredentials({ now: () => -1, elapsed: () => elapsed });
  const { credential } = tabs.create(PERSON);
  elapsed += SERVING_LIMITS.tabMs - 1;
  expect(tabs.use(credential)).toBe(PERSON);
  elapsed += SERVING_LIMITS.tabMs - 1;
  expect(tabs.use(credential)).toBe(PERSON);
  elapsed += SERVING_LIMITS.tabMs;
  expect(tabs.use(credential)).toBeUndefined();
});

test("of more tabs than the limit says the one that was not used for longest ends; a key that is gone ends its own", () => {
  let elapsed = 0;
  const tabs = new TabCredentials({ elapsed: () => elapsed++ });
  const first = tabs.create(PERSON).credential;
  const second = tabs.create(PERSON).credential;
  for (let n = 2; n < SERVING_LIMITS.tabs; n++) tabs.create({ keyId: "k" });
  tabs.use(first);
  const last = tabs.create({ keyId: "k" }).credential;
  expect([tabs.use(first), tabs.use(second)]).toEqual([PERSON, undefined]);
  tabs.drop(new Set(["k"]));
  expect([tabs.use(first), tabs.use(last)]).toEqual([PERSON, undefined]);
});
