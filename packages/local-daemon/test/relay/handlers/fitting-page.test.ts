import { describe, expect, it } from "vitest";
import { fittingPage } from "../../../src/relay/handlers/fitting-page.js";

const item = (body: string, data?: object) => ({ id: "1", body, ...(data === undefined ? {} : { data }) });
const bytes = (items: readonly object[]) => Buffer.byteLength(JSON.stringify(items));

describe("fittingPage", () => {
  it("takes all that fits and says nothing is left", () => {
    const items = [item("a"), item("b")];
    expect(fittingPage(items, 1_000)).toEqual({ items, hasMore: false });
    expect(fittingPage([], 0)).toEqual({ items: [], hasMore: false });
  });

  it("leaves out from the end what does not fit, and says so", () => {
    const items = ["a", "b", "c"].map((body) => item(body.repeat(100)));
    const page = fittingPage(items, bytes(items) - 1);
    expect(page).toEqual({ items: items.slice(0, 2), hasMore: true });
  });

  it.each(["x", "\u0000", "ü", "😀"])(
    "cuts a first item of %j that alone is too large, never through a character",
    (unit) => {
      const items = [item(unit.repeat(5_000), { a: 1 }), item("next")];
      const { items: page, hasMore } = fittingPage(items, 2_000);
      expect(hasMore).toBe(true);
      expect(page).toHaveLength(1);
      expect(bytes(page)).toBeLessThanOrEqual(2_000);
      const { body } = page[0] as { body: string };
      expect(body.length).toBeGreaterThan(100);
      expect(body).toBe(unit.repeat(body.length / unit.length));
      expect(page[0]).not.toHaveProperty("data");
    },
  );
});
