import { expect, test } from "vitest";
import { readOptions } from "./faults/options.js";

test("scenarios, a seed and a number at a time are taken as they were given; the rest has defaults, and the sample is small", () => {
  expect(readOptions(["B4", "F2", "--seed", "42", "--at-once", "3"])).toEqual({
    names: ["B4", "F2"],
    isSample: false,
    seed: 42,
    scale: 1,
    minutes: 3,
    atOnce: 3,
  });
  expect(readOptions(["--sample"])).toMatchObject({ names: [], isSample: true, scale: 0.02, atOnce: 1 });
  expect(readOptions(["--help", "B4"])).toBeUndefined();
});

test.each([
  [["X9"], "There is no X9."],
  [["--seed", "abc"], "--seed is a number"],
  [["--minutes", ""], "--minutes is a number"],
  [["--scale", "-1"], "--scale"],
  [["--at-once", "0"], "--at-once is a whole number"],
  [["--at-once", "1.5"], "--at-once is a whole number"],
  [["--at-once", "two"], "--at-once is a whole number"],
  [["--nope"], "--nope"],
])("%j is refused by name: nothing would be run, or something else", (args, text) => {
  expect(() => readOptions(args)).toThrow(TypeError);
  expect(() => readOptions(args)).toThrow(text);
});
