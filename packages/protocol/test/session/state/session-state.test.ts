import { describe, expect, test } from "vitest";
import { SessionState } from "../../../src/index.js";

const state = (newState: string) => ({ type: "droid_working_state_changed", newState });
const shown = (id: string) => ({ type: "create_message", message: { id, role: "user" } });
const completed = (turnId: string, reason = "completed") => ({ type: "agent_turn_completed", turnId, reason });
const delta = { type: "assistant_text_delta", messageId: "a", blockIndex: 0, textDelta: "x" };

/** A session with turns of these prompts, in that order. */
function sessionWith(turns: boolean, ...messageIds: string[]) {
  const session = new SessionState({ turns });
  const tracked = messageIds.map((messageId) => session.expect({ messageId, requestId: `r-${messageId}` }));
  return { session, tracked };
}

describe("working state", () => {
  test("is what the last entry states, and idle after a turn's end although that entry comes later", () => {
    const { session } = sessionWith(true, "m");
    for (const entry of [shown("m"), state("thinking"), delta]) session.apply(entry);
    expect(session).toMatchObject({ workingState: "thinking", isBusy: true });
    session.apply(completed("m"));
    expect(session).toMatchObject({ workingState: "idle", isBusy: false });
  });

  test("an early copy, or a prompt that was acknowledged, counts until an entry states another", () => {
    const { session } = sessionWith(true, "m");
    session.presume("thinking");
    expect(session).toMatchObject({ workingState: "idle", latestWorkingState: "thinking" });
    session.apply(state("executing_tool"));
    session.foretell(completed("m"));
    expect(session).toMatchObject({ workingState: "executing_tool", latestWorkingState: "idle" });
    session.apply(state("streaming_assistant_message"));
    expect(session.latestWorkingState).toBe("streaming_assistant_message");
  });

  test("a prompt thrown away while it waits leaves the running turn at work", () => {
    const { session, tracked } = sessionWith(true, "a", "b", "c");
    for (const entry of [shown("a"), state("thinking")]) session.apply(entry);
    session.apply({ type: "queued_messages_discarded", text: "…", requestId: "r-b" });
    expect(session.apply(completed("b", "cancelled"))).toEqual([tracked[1]]);
    expect(session.workingState).toBe("thinking");
    expect(tracked[2]?.isBehind).toBe(true);
    expect(session.apply(completed("a"))).toEqual([tracked[0]]);
    expect(session.workingState).toBe("idle");
    expect(tracked[2]?.isBehind).toBe(false);
  });

  test("a prompt thrown away while it waits for work of another client leaves that work at work", () => {
    const session = new SessionState({ turns: true });
    session.apply(state("thinking"));
    session.expect({ messageId: "m", requestId: "r-m" });
    session.apply(completed("m", "cancelled"));
    expect(session.workingState).toBe("thinking");
  });

  test("a session is gone from its end until its next sign of life", () => {
    const { session } = sessionWith(true);
    session.apply({ type: "session_process_exited", message: "", timestamp: 0 });
    expect(session.isGone).toBe(true);
    session.apply(delta);
    expect(session.isGone).toBe(true);
    session.apply(state("thinking"));
    expect(session.isGone).toBe(false);
  });
});

describe("turns", () => {
  test("a turn holds its end after it, and the session has it no more", () => {
    const { session, tracked } = sessionWith(false, "m");
    for (const entry of [state("thinking"), shown("m"), delta]) session.apply(entry);
    expect(session.turns).toEqual(tracked);
    expect(session.apply(state("idle"))).toEqual(tracked);
    expect(session.turns).toEqual([]);
    expect(tracked[0]?.end).toEqual({ by: "idle" });
    expect(session.apply(completed("m"))).toEqual([]);
    expect(tracked[0]?.end).toEqual({ by: "idle" });
  });

  test("a prompt that was thrown away has ended, unless the daemon ends every turn in its own words", () => {
    const discarded = { type: "queued_messages_discarded", text: "…", requestId: "r-m" };
    const plain = sessionWith(false, "m");
    expect(plain.session.apply({ ...discarded, requestId: "r-other" })).toEqual([]);
    expect(plain.session.apply(discarded)[0]?.end).toEqual({ by: "discarded", reason: "cancelled" });
    const ours = sessionWith(true, "m");
    expect(ours.session.apply(discarded)).toEqual([]);
    expect(ours.session.apply(completed("m", "cancelled"))[0]?.end).toEqual({ by: "completed", reason: "cancelled" });
  });

  test("a prompt waits behind those expected before it, and behind the turn of another client", () => {
    const { session, tracked } = sessionWith(true, "a", "b");
    expect([session.aheadOf("a"), session.aheadOf("b"), session.aheadOf("new")]).toEqual([0, 1, 2]);
    expect(tracked.map(({ isBehind }) => isBehind)).toEqual([false, true]);
    const busy = new SessionState({ turns: true });
    busy.apply(state("thinking"));
    const turn = busy.expect({ messageId: "m" });
    expect(turn.isBehind).toBe(true);
    busy.apply(completed("somebody else's"));
    expect(turn).toMatchObject({ isBehind: false, isUntouched: true });
  });

  test("the work of an earlier turn is not that of one that waits", () => {
    const { session, tracked } = sessionWith(true, "a", "b");
    session.apply(state("thinking"));
    session.apply(completed("a"));
    expect(tracked.map(({ wasBusy }) => wasBusy)).toEqual([true, false]);
    session.apply(state("thinking"));
    expect(tracked[1]?.wasBusy).toBe(true);
  });

  test("what an early copy announced ends when the entries before it are passed over", () => {
    const { session, tracked } = sessionWith(true, "a", "b");
    session.foretell(completed("a"));
    expect(tracked[0]).toMatchObject({ isForetold: true, end: undefined });
    expect(tracked[1]?.isBehind).toBe(true);
    expect(session.skipTo({ workingState: "idle" })).toEqual([tracked[0]]);
    expect(session.turns).toEqual([tracked[1]]);
    expect(tracked[1]?.isBehind).toBe(false);
  });

  test("a prompt that was refused, and a session of which nothing more comes, leave no turns", () => {
    const { session, tracked } = sessionWith(false, "a", "b");
    expect(session.forget("a")).toBe(true);
    expect(session.forget("a")).toBe(false);
    session.apply(state("thinking"));
    expect(session.reset()).toEqual([tracked[1]]);
    expect(session).toMatchObject({ turns: [], isBusy: false });
  });

  test("a turn can be ended for a reason that no entry holds", () => {
    const { session, tracked } = sessionWith(true, "m");
    session.end("m", { by: "completed", reason: "agent_exited" });
    session.end("never", { by: "idle" });
    expect(tracked[0]?.end).toEqual({ by: "completed", reason: "agent_exited" });
    expect(session.turn("m")).toBeUndefined();
  });
});

describe("requests", () => {
  const permission = { id: "p", method: "request_permission", params: { sessionId: "s", toolUses: [], options: [] } };
  const question = { id: "q", method: "ask_user", params: { sessionId: "s", toolCallId: "t", questions: [] } };

  test("wait until they are resolved, elsewhere or here, and are listed as a daemon lists them", () => {
    const session = new SessionState({ turns: true });
    expect(session.ask(permission)).toBe(true);
    expect(session.ask({ ...question, deadlineAt: 9 })).toBe(true);
    expect(session.ask({ id: "x", method: "initialize_session", params: {} })).toBe(false);
    expect(session.snapshot()).toMatchObject({
      pendingPermissions: [{ requestId: "p", toolUses: [], options: [] }],
      pendingAskUserRequests: [{ requestId: "q", toolCallId: "t", questions: [], deadlineAt: 9 }],
    });
    session.apply({ type: "permission_resolved", requestId: "p", toolUseIds: [], selectedOption: "cancel" });
    expect([session.pendingRequests, session.isPending("p"), session.isPending("q")]).toEqual([1, false, true]);
    expect(session.resolve("q")).toBe(true);
    expect(session.resolve("q")).toBe(false);
    expect(session.pendingRequests).toBe(0);
  });

  test("an early copy resolves at once, because it is the first that tells it", () => {
    const session = new SessionState({ turns: true });
    session.ask(question);
    session.foretell({ type: "ask_user_resolved", requestId: "q", toolCallId: "t", cancelled: true });
    expect(session.pendingRequests).toBe(0);
  });

  test("what a daemon lists replaces what was known, and absent lists say nothing", () => {
    const session = new SessionState({ turns: true });
    session.ask(permission);
    session.found({ workingState: "thinking" });
    expect(session.pendingRequests).toBe(1);
    session.found({ pendingAskUserRequests: [{ requestId: "q", toolCallId: "t", questions: [] }] });
    expect([session.isPending("p"), session.isPending("q")]).toEqual([false, true]);
    expect(session.workingState).toBe("thinking");
  });

  test("a loop that turns is at work, whatever its working state", () => {
    const session = new SessionState({ turns: true });
    session.found({ workingState: "idle", isAgentLoopInProgress: true });
    expect(session.workingState).toBe("thinking");
    session.found({ isAgentLoopInProgress: false });
    expect(session.workingState).toBe("idle");
  });
});
