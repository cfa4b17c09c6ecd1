import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isSessionNotificationParams,
  nextTurnState,
  type SessionNotification,
  TURN_TABLES,
  type TurnEnd,
  type TurnState,
  TurnTracker,
} from "../../../src/index.js";
import { recording } from "../recording.js";

const state = (newState: string) => ({ type: "droid_working_state_changed", newState });
const own = { type: "create_message", message: { id: "m-1", role: "user" } };
const completed = (turnId: string, reason = "completed") => ({ type: "agent_turn_completed", turnId, reason });
const delta = { type: "assistant_text_delta", messageId: "a", blockIndex: 0, textDelta: "x" };

/** Index and kind of the notification that ended the turn; undefined when none did. */
function endOf(notifications: SessionNotification[], options: { turns?: boolean; isQueued?: boolean } = {}) {
  const tracker = new TurnTracker({ messageId: "m-1", requestId: "r-1", turns: false, ...options });
  const ends: [number, TurnEnd][] = [];
  for (const [index, notification] of notifications.entries()) {
    const end = tracker.observe(notification);
    if (end !== undefined) ends.push([index, end]);
  }
  expect(ends.length).toBeLessThanOrEqual(1);
  return ends[0];
}

function notificationOf(json: Record<string, unknown> | undefined): SessionNotification {
  const params = json?.params;
  if (!isSessionNotificationParams(params)) expect.unreachable("a notification of the session");
  return params.notification;
}

describe("recordings of a real agent", () => {
  /** For each prompt of a recording, how its turn ended and what the next notification was. */
  function turnsOf(name: Parameters<typeof recording>[0]) {
    const events = recording(name);
    const prompts = events.filter(({ dir, json }) => dir === "send" && json?.method === "droid.add_user_message");
    return prompts.map((prompt) => {
      const tracker = new TurnTracker({ messageId: "never sent", requestId: String(prompt.json?.id), turns: false });
      const after = events
        .slice(events.indexOf(prompt))
        .filter(({ dir, json }) => dir === "recv" && json?.type === "notification");
      for (const [index, { json }] of after.entries()) {
        const end = tracker.observe(notificationOf(json));
        if (end !== undefined) return { end, rest: notificationOf(after[index + 1]?.json) };
      }
      return undefined;
    });
  }

  test.each([
    ["hello", ["completed"]],
    ["multi-turn", ["completed", "completed", "completed"]],
    ["interrupt", ["cancelled", "completed"]],
    ["tool-permission-cancel", ["completed"]],
    ["tool-permission-once", ["completed"]],
    ["fail401", ["model_authentication_failed"]],
  ] as const)("%s: each turn ends with its reason, right before the agent falls idle", (name, reasons) => {
    const turns = turnsOf(name);
    expect(turns.map((turn) => turn?.end)).toEqual(reasons.map((reason) => ({ by: "completed", reason })));
    for (const turn of turns) expect(turn?.rest).toEqual(state("idle"));
  });
});

describe("a daemon that offers turns", () => {
  const turns = { turns: true };

  test("only its word for this very turn is the end", () => {
    const events = [
      state("thinking"),
      own,
      completed("m-0"),
      state("idle"),
      state("thinking"),
      state("idle"),
      completed("m-1", "error"),
    ];
    expect(endOf(events, turns)).toEqual([6, { by: "completed", reason: "error" }]);
  });

  test("idle never ends it", () => {
    expect(endOf([own, state("thinking"), state("idle")], turns)).toBeUndefined();
  });
});

describe("any other daemon", () => {
  test("the first fall from busy to idle after our own message ends the turn", () => {
    expect(endOf([state("thinking"), own, delta, state("idle"), state("idle")])).toEqual([3, { by: "idle" }]);
  });

  test("an idle with nothing before it is of an earlier turn", () => {
    expect(endOf([state("idle"), own, state("idle"), state("thinking"), state("idle")])).toEqual([4, { by: "idle" }]);
  });

  test("a daemon that never shows our message ends the turn by idle or by a completed turn, after the first busy", () => {
    expect(endOf([delta, state("thinking"), delta, state("idle")])).toEqual([3, { by: "idle" }]);
    expect(endOf([completed("x"), state("thinking"), completed("y"), state("idle")])).toEqual([
      2,
      { by: "completed", reason: "completed" },
    ]);
  });

  test("our message is known by its id, or by the id of the request that sent it", () => {
    const byRequest = { type: "create_message", message: { id: "other", role: "user" }, requestId: "r-1" };
    const foreign = { type: "create_message", message: { id: "other", role: "user" }, requestId: "r-0" };
    expect(endOf([byRequest, completed("other")])).toBeDefined();
    expect(endOf([foreign, completed("other")])).toBeUndefined();
  });

  test("a prompt that steers a running turn ends with that turn", () => {
    expect(endOf([state("thinking"), own, completed("m-0")], { isQueued: true })).toEqual([
      2,
      { by: "completed", reason: "completed" },
    ]);
  });

  test("a prompt that waits for an earlier turn does not end with it", () => {
    const events = [
      state("thinking"),
      completed("m-0"),
      state("idle"),
      state("thinking"),
      own,
      completed("m-1"),
      state("idle"),
    ];
    expect(endOf(events, { isQueued: true })).toEqual([5, { by: "completed", reason: "completed" }]);
  });

  test("a completed turn without a reason, or a message without an id, does no harm", () => {
    expect(endOf([{ type: "agent_turn_completed", turnId: "m-1" }])).toEqual([
      0,
      { by: "completed", reason: "completed" },
    ]);
    expect(
      endOf([{ type: "create_message", message: null }, { type: "create_message" }, { type: "constructor" }]),
    ).toBeUndefined();
  });
});

describe("the tables", () => {
  const rules = ["told", "inferred"] as const;
  const states = Object.keys(TURN_TABLES.told) as TurnState[];

  test("the turn's own completion ends it from every state, and the end is final", () => {
    for (const rule of rules) {
      for (const from of states) expect(nextTurnState(rule, from, "ownCompleted")).toBe("ended");
      expect(TURN_TABLES[rule].ended).toEqual({});
    }
  });

  test("no sequence of notifications ends a turn twice, and after its own completion it has always ended", () => {
    const anything = fc.constantFrom<SessionNotification>(
      own,
      completed("m-0"),
      state("idle"),
      state("thinking"),
      delta,
    );
    fc.assert(
      fc.property(fc.array(anything), fc.boolean(), fc.boolean(), (events, turns, isQueued) => {
        expect(endOf([...events, completed("m-1")], { turns, isQueued })).toBeDefined();
      }),
    );
  });
});
