import { describe, expect, test } from "vitest";
import { decodeFrame, isKnownNotification, isSessionNotificationParams } from "../../src/index.js";
import { schemasOf } from "../../src/schema.js";
import { RECORDINGS, recording } from "./recording.js";

describe.each(RECORDINGS.map((name) => [name]))("what a real agent said in %s", (name) => {
  const received = recording(name).flatMap(({ dir, json }) => (dir === "recv" && json !== undefined ? [json] : []));

  test("is decoded frame by frame, and every notification is of a known type", () => {
    for (const json of received) {
      const decoded = decodeFrame(JSON.stringify(json));
      expect(decoded).toEqual({ ok: true, envelope: json });
      if (json.type !== "notification") continue;
      const { params } = json;
      if (!isSessionNotificationParams(params)) expect.unreachable("params of session_notification");
      expect([params.notification.type, isKnownNotification(params.notification)]).toEqual([
        params.notification.type,
        true,
      ]);
    }
  });

  test("fits the schemas of its methods", () => {
    const asked = recording(name).flatMap(({ dir, json }) =>
      dir === "send" && json?.type === "request" ? [json] : [],
    );
    for (const { id, method } of asked) {
      const response = received.find((json) => json.type === "response" && json.id === id);
      const schemas = schemasOf(String(method).replace("droid.", ""));
      if (response === undefined || "error" in response) continue;
      expect(schemas?.result.safeParse(response.result).error?.issues).toBeUndefined();
    }
    for (const { method, params } of received.filter(({ type }) => type === "request")) {
      // The agent leaves the session out, and the daemon adds it.
      const schemas = schemasOf(String(method).replace("droid.", ""));
      expect(schemas?.params.safeParse({ sessionId: "s", ...(params as object) }).error?.issues).toBeUndefined();
    }
  });
});
