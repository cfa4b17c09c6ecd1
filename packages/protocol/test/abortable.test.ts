import { describe, expect, test } from "vitest";
import { abortable } from "../src/index.js";

const never = new Promise<number>(() => {});

describe("abortable", () => {
  test("settles as the promise does, with a signal and without one", async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(1), signal)).toBe(1);
    expect(await abortable(Promise.resolve(2), undefined)).toBe(2);
    await expect(abortable(Promise.reject(new RangeError("no")), signal)).rejects.toThrow("no");
  });

  test("rejects with the signal's reason when that is aborted first, or was before", async () => {
    const controller = new AbortController();
    const waiting = abortable(never, controller.signal);
    controller.abort(new RangeError("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    await expect(abortable(never, controller.signal)).rejects.toThrow("changed my mind");
  });

  test("leaves no listener on a signal that outlives the promise", async () => {
    let listeners = 0;
    const signal = {
      aborted: false,
      addEventListener: () => (listeners += 1),
      removeEventListener: () => (listeners -= 1),
    } as unknown as AbortSignal;
    await abortable(Promise.resolve(), signal);
    await Promise.resolve();
    expect(listeners).toBe(0);
  });
});
