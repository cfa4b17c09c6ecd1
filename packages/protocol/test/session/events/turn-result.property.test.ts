import fc from "fast-check";
import { expect, test } from "vitest";
import { resultOfTurn, type TurnError, type TurnOutcome } from "../../../src/index.js";

const error: fc.Arbitrary<TurnError> = fc.record({ message: fc.string(), errorType: fc.string() });

const outcome: fc.Arbitrary<TurnOutcome> = fc.record(
  {
    sessionId: fc.string(),
    messageId: fc.string(),
    durationMs: fc.nat(),
    messages: fc.constant([]),
    text: fc.string(),
    tokenUsage: fc.constant(null),
    errors: fc.array(error, { maxLength: 3 }),
    wasInterrupted: fc.boolean(),
    reason: fc.option(fc.string(), { nil: undefined }),
    structured: fc.oneof(
      fc.record({ value: fc.jsonValue() }),
      fc.record({ error: fc.record({ code: fc.string(), message: fc.string() }) }),
    ),
  },
  {
    requiredKeys: [
      "sessionId",
      "messageId",
      "durationMs",
      "messages",
      "text",
      "tokenUsage",
      "errors",
      "wasInterrupted",
      "reason",
    ],
  },
);

test("the fields of both generations always agree with the subtype", () => {
  fc.assert(
    fc.property(outcome, (given) => {
      const result = resultOfTurn(given);
      expect(result.success).toBe(result.subtype === "success");
      expect(result.isError).toBe(!result.success);
      expect(result.interrupted).toBe(result.subtype === "interrupted");
      expect(result.result).toBe(result.text);
      expect(result.numTurns).toBe(result.turnCount);
      expect(result.error).toEqual(given.errors[0]);
      expect(result.errors ?? []).toEqual(given.errors);
    }),
  );
});

test("the rank is: interrupted, structured output, errors, success", () => {
  fc.assert(
    fc.property(outcome, (given) => {
      const badOutput = given.structured !== undefined && "error" in given.structured;
      const expected = given.wasInterrupted
        ? "interrupted"
        : badOutput
          ? "error_structured_output"
          : given.errors.length > 0
            ? "error_during_execution"
            : "success";
      expect(resultOfTurn(given).subtype).toBe(expected);
    }),
  );
});
