import { expect, test } from "vitest";
import { LIMITS } from "../../src/index.js";
import { ServerRequests } from "../../src/rpc/server-requests.js";

test("the memory of answered requests is bounded, and forgets the oldest first", () => {
  const requests = new ServerRequests();
  for (let n = 0; n <= LIMITS.answeredRequests; n++) expect(requests.answer(`p-${n}`)).toBe(true);
  expect(requests.answer("p-1")).toBe(false);
  expect(requests.answer(`p-${LIMITS.answeredRequests}`)).toBe(false);
  expect(requests.answer("p-0")).toBe(true);
});

test("ids that name what every object inherits are ids like any other", () => {
  const requests = new ServerRequests();
  for (const id of ["__proto__", "constructor", "toString"]) {
    expect(requests.begin(id)).toBe(true);
    expect(requests.answer(id)).toBe(true);
    expect(requests.answer(id)).toBe(false);
  }
});
