import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processState } from "../agents/agent-harness.js";
import { answer, high, isThere, results, run, types } from "./turn-support.js";
import { desk } from "./workspace-agent.js";

describe("interrupt", () => {
  test("cuts a turn that streams: cancelled, without the message it would have become", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("count 100000 every 5");
    await running.witness.until(() => running.witness.typed("assistant_text_delta")[2]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(types(running)).not.toContain("assistant_text_complete");
    expect(answer(running)).toBe("");
    expect(await run(running, "say next")).toMatchObject({ reason: "completed" });
  });

  test("is read even while the agent writes as fast as it can", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("stream 100000000 of 300");
    await running.witness.until(() => running.witness.typed("assistant_text_delta")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
  });

  test("kills the command that runs, and all that it started", async () => {
    await using place = await desk();
    await using running = await place.open(high);
    await running.prompt("run sleep 1000 & echo $!; wait");
    const update = await running.witness.until(() => running.witness.typed("tool_progress_update")[0]);
    const pid = Number.parseInt((update.update as { text: string }).text, 10);
    expect(await processState(pid)).toBeDefined();
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(results(running)).toMatchObject([{ isError: true }]);
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test("resolves a pending permission with cancel, and nothing was done", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("write a.txt: x");
    await running.witness.until(() => running.witness.of("request")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(running.witness.typed("permission_resolved")).toMatchObject([{ selectedOption: "cancel" }]);
    expect(results(running)).toMatchObject([{ isError: true }]);
    expect(await isThere(join(place.cwd, "a.txt"))).toBe(false);
  });

  test("discards what waits, and names it", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("count 100000 every 5");
    await running.agent.call("add_user_message", { text: "say later" }, 5_000);
    await running.agent.interrupt();
    await running.witness.turnEnd();
    expect(running.witness.typed("queued_messages_discarded")).toMatchObject([
      { text: "say later", requestId: expect.any(String) },
    ]);
    await run(running, "recall");
    expect(answer(running)).toBe("count 100000 every 5");
  });

  test("while idle is a `{}` and nothing else", async () => {
    await using place = await desk();
    await using running = await place.open();
    const before = running.witness.told.length;
    await running.agent.interrupt();
    expect(running.witness.told).toHaveLength(before);
  });
});

test("a prompt sent while busy is acknowledged at once and runs after the turn", async () => {
  await using place = await desk();
  await using running = await place.open();
  await running.prompt("count 3 every 5");
  await running.agent.call("add_user_message", { text: "say second" }, 5_000);
  await running.witness.until(() => (running.witness.text.endsWith("second") ? true : undefined));
  expect(running.witness.text).toBe("1 2 3 second");
});
