import { afterAll, expect } from "vitest";

// Whatever a test fed to the code under test, no prototype may have changed by it.
const before = new Map(
  [Object, Array, Function, Map, Promise].map((kind) => [kind, Reflect.ownKeys(kind.prototype).length]),
);

afterAll(() => {
  for (const [kind, count] of before) {
    expect(Reflect.ownKeys(kind.prototype).length, `${kind.name}.prototype`).toBe(count);
  }
});
