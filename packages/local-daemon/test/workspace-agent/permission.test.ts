import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answer, isThere, results } from "./turn-support.js";
import { desk } from "./workspace-agent.js";

describe("permission", () => {
  test.each([
    ["off", ["Create", "Execute"]],
    ["low", ["Execute"]],
    ["medium", ["Execute"]],
    ["high", []],
  ])("with autonomy %s is asked for %j", async (autonomyLevel, asked) => {
    await using place = await desk();
    await using running = await place.open({ autonomyLevel });
    await running.prompt("list ; then write a.txt: x ; then run true");
    for (let i = 0; i < asked.length; i++) {
      const { request } = await running.witness.until(() => running.witness.of("request")[i]);
      request.respond({ selectedOption: "proceed_once" });
    }
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    const names = running.witness.of("request").map(({ request }) => {
      const [{ toolUse }] = request.params.toolUses as [{ toolUse: { name: string } }];
      return toolUse.name;
    });
    expect(names).toEqual(asked);
  });

  test("shows what will be done: type, path and content for a file, the command for a run", async () => {
    await using place = await desk();
    await writeFile(join(place.cwd, "b.txt"), "old");
    await using running = await place.open();
    await running.prompt("write a.txt: hello ; then write b.txt: new ; then run echo hi");
    const details: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { request } = await running.witness.until(() => running.witness.of("request")[i]);
      details.push((request.params.toolUses as { details: unknown }[])[0]?.details);
      request.respond({ selectedOption: "proceed_once" });
    }
    await running.witness.turnEnd();
    expect(details).toEqual([
      { type: "create", filePath: expect.stringMatching(/\/a\.txt$/), fileName: "a.txt", content: "hello" },
      {
        type: "edit",
        filePath: expect.stringMatching(/\/b\.txt$/),
        fileName: "b.txt",
        oldContent: "old",
        newContent: "new",
      },
      { type: "exec", fullCommand: "echo hi", command: "echo" },
    ]);
  });

  test("always is remembered for that tool, in this session only", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("run true ; then run true ; then write a.txt: x");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ selectedOption: "proceed_always" });
    const second = await running.witness.until(() => running.witness.of("request")[1]);
    expect(second.request.params.toolUses).toMatchObject([{ confirmationType: "create" }]);
    second.request.respond({ selectedOption: "proceed_once" });
    await running.witness.turnEnd();
    expect(running.witness.of("request")).toHaveLength(2);
  });

  test.each(["cancel", "proceed_auto_run_high", "nonsense"])(
    "answered with `%s` does nothing: an error result, and the turn ends as completed",
    async (selectedOption) => {
      await using place = await desk();
      await using running = await place.open();
      await running.prompt("write a.txt: x ; then say never reached");
      const { request } = await running.witness.until(() => running.witness.of("request")[0]);
      request.respond({ selectedOption });
      expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
      expect(results(running)).toEqual([{ content: "Error: Tool execution cancelled by user", isError: true }]);
      expect(running.witness.typed("permission_resolved")).toMatchObject([
        { requestId: request.id, selectedOption: "cancel" },
      ]);
      expect(running.witness.text).toBe("");
      expect(await isThere(join(place.cwd, "a.txt"))).toBe(false);
    },
  );

  test("a question is asked with its options, and the answer is said", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("ask Which one? red | green");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    expect(request).toMatchObject({
      method: "ask_user",
      params: {
        toolCallId: expect.any(String),
        questions: [{ index: 1, question: "Which one?", options: ["red", "green"] }],
      },
    });
    request.respond({ answers: [{ index: 1, question: "Which one?", answer: "green" }] });
    await running.witness.turnEnd();
    expect(answer(running)).toBe("You chose green.");
  });

  test("a question that is not answered is no obstacle", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("ask Which one? red | green ; then say going on");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ cancelled: true, answers: [] });
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(answer(running)).toBe("You did not answer.\ngoing on");
  });
});
