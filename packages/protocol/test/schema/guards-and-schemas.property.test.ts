import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type * as z from "zod/mini";
import {
  isKnownNotification,
  isNotificationEnvelope,
  isRequestEnvelope,
  isResponseEnvelope,
  isSessionEnvelope,
  isSessionNotificationParams,
  isSessionNotificationsParams,
  SESSION_NOTIFICATION_TYPES,
  type SessionNotification,
} from "../../src/index.js";
import {
  NOTIFICATION_SCHEMAS,
  notificationEnvelopeSchema,
  requestEnvelopeSchema,
  responseEnvelopeSchema,
  sessionEnvelopeSchema,
  sessionNotificationParamsSchema,
  sessionNotificationsParamsSchema,
} from "../../src/schema.js";
import { ENVELOPES, NOTIFICATIONS } from "./examples.js";
import { mutationsOf } from "./mutation.js";

/** Both say the same of an example, of whatever becomes of it, and of any JSON value. */
function expectAgreement(guard: (value: unknown) => boolean, schema: z.ZodMiniType, examples: unknown[]): void {
  for (const example of examples) expect([guard(example), schema.safeParse(example).success]).toEqual([true, true]);
  const values = fc.oneof(
    ...examples.map((example) => ({ weight: 4, arbitrary: mutationsOf(example) })),
    fc.jsonValue(),
  );
  let refused = 0;
  fc.assert(
    fc.property(values, (value) => {
      const accepted = guard(value);
      if (!accepted) refused++;
      expect(schema.safeParse(value).success).toBe(accepted);
    }),
    { numRuns: 250 * examples.length },
  );
  expect(refused).toBeGreaterThan(0);
}

describe("guard and schema agree on envelopes", () => {
  const { request, success, failure, nullFailure, notification } = ENVELOPES;
  test("requests", () => expectAgreement(isRequestEnvelope, requestEnvelopeSchema, [request]));
  test("responses", () => expectAgreement(isResponseEnvelope, responseEnvelopeSchema, [success, failure, nullFailure]));
  test("notifications", () => expectAgreement(isNotificationEnvelope, notificationEnvelopeSchema, [notification]));
  test("all of them", () => expectAgreement(isSessionEnvelope, sessionEnvelopeSchema, Object.values(ENVELOPES)));
  test("params of session_notification", () =>
    expectAgreement(isSessionNotificationParams, sessionNotificationParamsSchema, [
      { sessionId: "s", notification: NOTIFICATIONS.error },
      { notification: { type: "of a newer peer" } },
    ]));
  test("params of session_notifications", () =>
    expectAgreement(isSessionNotificationsParams, sessionNotificationsParamsSchema, [
      { sessionId: "s", notifications: [NOTIFICATIONS.error, { type: "of a newer peer" }] },
    ]));
});

describe("guard and schema agree on notifications", () => {
  test.each(SESSION_NOTIFICATION_TYPES.map((type) => [type]))("%s", (type) => {
    const guard = (value: unknown) => isNotification(value) && value.type === type && isKnownNotification(value);
    expectAgreement(guard, NOTIFICATION_SCHEMAS[type], [NOTIFICATIONS[type]]);
  });

  test("the examples, the guards and the schemas know the same types", () => {
    const known = new Set<string>(SESSION_NOTIFICATION_TYPES);
    expect(new Set(Object.keys(NOTIFICATION_SCHEMAS))).toEqual(known);
    expect(new Set(Object.keys(NOTIFICATIONS))).toEqual(known);
  });

  test.each(["constructor", "__proto__", "toString", "of a newer peer"])("%s is no known type", (type) => {
    expect(isKnownNotification({ type })).toBe(false);
  });

  test("a tool_call without the type of its block is taken, as older daemons send it", () => {
    expect(isKnownNotification({ type: "tool_call", toolUse: { id: "t", name: "Read", input: {} } })).toBe(true);
  });
});

function isNotification(value: unknown): value is SessionNotification {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
