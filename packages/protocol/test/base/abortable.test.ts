import { describe, expect, test } from "vitest";
import { abortable } from "../../src/index.js";

describe("a promise that can be aborted", () => {
  test("has the promise's own outcome without a signal, and where the signal is not aborted first", async () => {
    const { signal } = new AbortController();
    const failure = new RangeError("no");
    for (const given of [undefined, signal]) {
      await expect(abortable(Promise.resolve(1), given)).resolves.toBe(1);
      await expect(abortable(Promise.reject(failure), given)).rejects.toBe(failure);
    }
  });

  test("rejects with the signal's reason, also where that was aborted before", async () => {
    const controller = new AbortController();
    const waiting = abortable(new Promise(() => {}), controller.signal);
    controller.abort("enough");
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", message: "enough" });
    await expect(abortable(new Promise(() => {}), controller.signal)).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("leaves nothing behind on the signal, and no rejection that nobody handles", async () => {
    const controller = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: EventListener, options: AddEventListenerOptions) => {
      listeners.add(listener);
      add(type, listener, options);
    };
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (type: string, listener: EventListener) => {
      listeners.delete(listener);
      remove(type, listener);
    };
    await expect(abortable(Promise.reject(new RangeError("no")), signal)).rejects.toThrow("no");
    await new Promise((resolve) => setImmediate(resolve));
    expect(listeners.size).toBe(0);
  });
});
