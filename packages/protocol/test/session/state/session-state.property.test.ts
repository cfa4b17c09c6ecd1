import fc from "fast-check";
import { expect, test } from "vitest";
import { SessionState, type TrackedTurn, TurnTracker } from "../../../src/index.js";

const id = fc.constantFrom("m-1", "m-2", "m-3");
const workingState = fc.constantFrom("idle", "thinking", "executing_tool");

const usage = (inputTokens: number) => ({
  inputTokens,
  outputTokens: 0,
  cacheCreationTokens: 0,
  cacheReadTokens: 0,
  thinkingTokens: 0,
});

const notification = fc.oneof(
  fc.constant({ type: "assistant_text_delta", messageId: "a", blockIndex: 0, textDelta: "x" }),
  fc.constantFrom({ type: "session_process_exited" }, { type: "session_closed" }, { type: "unheard_of" }),
  workingState.map((newState) => ({ type: "droid_working_state_changed", newState })),
  id.map((message) => ({ type: "create_message", message: { id: message, role: "user" } })),
  id.map((message) => ({ type: "create_message", message: { id: "other" }, requestId: `r-${message}` })),
  id.map((requestId) => ({ type: "queued_messages_discarded", text: "", requestId: `r-${requestId}` })),
  fc.constantFrom("m-1", "m-2", "m-3", "m-foreign").map((turnId) => ({ type: "agent_turn_completed", turnId })),
  fc.constantFrom("p", "q").map((requestId) => ({ type: "permission_resolved", requestId })),
  fc
    .nat(9)
    .map((inputTokens) => ({ type: "session_token_usage_changed", sessionId: "s", tokenUsage: usage(inputTokens) })),
  fc.constantFrom("p", "q").map((requestId) => ({ type: "ask_user_resolved", requestId })),
);

const request = fc.record({
  id: fc.constantFrom("p", "q", "x"),
  method: fc.constantFrom("request_permission", "ask_user"),
  params: fc.constantFrom({ sessionId: "s", toolUses: [] }, { questions: [] }),
});

/** What a session state can be given, each with all it answers. */
type Step = (state: SessionState) => unknown;

const plain = (turns: readonly TrackedTurn[]) =>
  turns.map(({ messageId, state, wasBusy, end }) => ({ messageId, state, wasBusy, end }));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: notification.map(
      (entry): Step =>
        (state) =>
          plain(state.apply(entry)),
    ),
  },
  {
    weight: 2,
    arbitrary: request.map(
      (entry): Step =>
        (state) =>
          state.ask(entry),
    ),
  },
  {
    weight: 2,
    arbitrary: id.map(
      (messageId): Step =>
        (state) =>
          void state.expect({ messageId, requestId: `r-${messageId}` }),
    ),
  },
  notification.map(
    (entry): Step =>
      (state) =>
        state.foretell(entry),
  ),
  id.map(
    (messageId): Step =>
      (state) =>
        state.forget(messageId),
  ),
  id.map(
    (messageId): Step =>
      (state) =>
        state.end(messageId, { by: "idle" }),
  ),
  workingState.map(
    (found): Step =>
      (state) =>
        state.presume(found),
  ),
  workingState.map(
    (found): Step =>
      (state) =>
        state.found({ workingState: found }),
  ),
  workingState.map(
    (found): Step =>
      (state) =>
        plain(state.skipTo({ workingState: found })),
  ),
  fc.constant<Step>((state) => plain(state.reset())),
);

function whole(state: SessionState) {
  const { turns, isBusy, isGone, latestWorkingState, pendingRequests } = state;
  const views = turns.map(({ messageId, isBehind, isUntouched }) => ({ messageId, isBehind, isUntouched }));
  return { ...state.snapshot(), views, isBusy, isGone, latestWorkingState, pendingRequests };
}

test("any prefix, its snapshot, and the rest are the whole", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), fc.nat(40), (turns, steps, cut) => {
      const one = new SessionState({ turns });
      let other = new SessionState({ turns });
      for (const [index, take] of steps.entries()) {
        if (index === cut) other = SessionState.from(JSON.parse(JSON.stringify(other.snapshot())));
        expect(take(other)).toEqual(take(one));
        expect(whole(other)).toEqual(whole(one));
      }
    }),
  );
});

test("a snapshot does not change with what comes after it", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 20 }), fc.array(step, { maxLength: 20 }), (turns, a, b) => {
      const state = new SessionState({ turns });
      for (const take of a) take(state);
      const snapshot = state.snapshot();
      const text = JSON.stringify(snapshot);
      for (const take of b) take(state);
      expect(JSON.stringify(snapshot)).toBe(text);
    }),
  );
});

test("a turn ends where a tracker of its own sees the end", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(notification, { maxLength: 40 }), (turns, entries) => {
      const state = new SessionState({ turns });
      const turn = state.expect({ messageId: "m-1", requestId: "r-m-1" });
      const tracker = new TurnTracker({ messageId: "m-1", requestId: "r-m-1", turns });
      for (const entry of entries) {
        const wasOpen = turn.end === undefined;
        const isDiscard = entry.type === "queued_messages_discarded" && !turns && "requestId" in entry;
        const ended = state.apply(entry);
        const end = tracker.observe(entry);
        if (isDiscard && entry.requestId === "r-m-1") return;
        expect(ended.includes(turn)).toBe(wasOpen && end !== undefined);
        if (wasOpen) expect(turn.end).toEqual(end);
        expect(turn.state).toBe(tracker.state);
      }
    }),
  );
});

test("no turn stays behind once nothing comes before it", () => {
  fc.assert(
    fc.property(fc.uniqueArray(id, { minLength: 1 }), (messages) => {
      const state = new SessionState({ turns: true });
      const turns = messages.map((messageId) => state.expect({ messageId }));
      for (const [index, messageId] of messages.entries()) {
        expect(turns.map(({ isBehind }) => isBehind)).toEqual(turns.map((_, at) => at > index));
        state.apply({ type: "agent_turn_completed", turnId: messageId });
      }
      expect(state.turns).toEqual([]);
    }),
  );
});
