import { describe, expect, it } from "vitest";
import {
  flag,
  guardOf,
  integer,
  listOf,
  number,
  object,
  optional,
  text,
  textOrFlag,
} from "../../src/relay/description/index.js";

interface Sample {
  name: string;
  size?: number;
  kind?: string | boolean;
}

describe("a description", () => {
  it("does not compile unless it says of every field what the type says", () => {
    const made = [
      object<Sample>({ name: text, size: optional(number), kind: optional(textOrFlag) }),
      // @ts-expect-error a field is missing
      object<Sample>({ name: text, size: optional(number) }),
      // @ts-expect-error the type has no such field
      object<Sample>({ name: text, size: optional(number), kind: optional(textOrFlag), other: text }),
      // @ts-expect-error a required field is not optional
      object<Sample>({ name: optional(text), size: optional(number), kind: optional(textOrFlag) }),
      // @ts-expect-error an optional field is not required
      object<Sample>({ name: text, size: number, kind: optional(textOrFlag) }),
      // @ts-expect-error the field may hold more than that
      object<Sample>({ name: text, size: optional(number), kind: optional(text) }),
      // @ts-expect-error the field holds something else
      object<Sample>({ name: flag, size: optional(number), kind: optional(textOrFlag) }),
    ];
    expect(made.map(({ kind }) => kind)).toEqual(made.map(() => "object"));
  });
});

describe("the guard of a description", () => {
  const few = guardOf(object<Sample>({ name: text, size: optional(number), kind: optional(textOrFlag) }));
  const many = guardOf(
    object<Sample & { pid?: number; tags?: string[] }>({
      name: text,
      size: optional(number),
      kind: optional(textOrFlag),
      pid: optional(integer),
      tags: optional(listOf(text)),
    }),
  );

  it.each([
    ["few optional fields", few],
    ["many optional fields", many],
  ])("reads known fields and lets others through, with %s", (_, guard) => {
    for (const good of [
      { name: "" },
      { name: "a", size: 1, kind: false },
      { name: "a", size: undefined, more: null },
    ]) {
      expect(guard(good), JSON.stringify(good)).toBe(true);
    }
    for (const bad of [{}, { name: 1 }, { name: "a", size: "1" }, { name: "a", size: null }, { name: "a", kind: 1 }]) {
      expect(guard(bad), JSON.stringify(bad)).toBe(false);
    }
    for (const none of [null, undefined, "name", [], ["name"]]) expect(guard(none)).toBe(false);
  });

  it("looks into lists, and takes no number that arithmetic would change", () => {
    expect(many({ name: "a", tags: [], pid: 1 })).toBe(true);
    for (const wrong of [{ tags: ["a", 1] }, { tags: "a" }, { pid: 1.5 }, { pid: 2 ** 53 }, { size: Number.NaN }]) {
      expect(many({ name: "a", ...wrong }), JSON.stringify(wrong)).toBe(false);
    }
  });
});
