import { afterEach, describe, expect, it, vi } from "vitest";
import { newId } from "../../src/index.js";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

afterEach(() => vi.unstubAllGlobals());

describe("a new id", () => {
  it("is a UUID v4", () => {
    expect(newId()).toMatch(UUID_V4);
  });

  it("is one, and another each time, on a page that has no crypto.randomUUID", () => {
    const { crypto } = globalThis;
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) });
    const ids = Array.from({ length: 2_000 }, () => newId());
    expect(ids.filter((id) => !UUID_V4.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    // Each digit that may differ does.
    const digits = Array.from({ length: 36 }, (_, at) => new Set(ids.map((id) => id[at])).size);
    expect(digits.filter((different) => different === 16)).toHaveLength(30);
    expect(digits.filter((different) => different === 4)).toHaveLength(1);
  });
});
