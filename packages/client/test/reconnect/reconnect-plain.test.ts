import { describe, expect, test } from "vitest";
import { collect, rejection } from "../support.js";
import { cameBack, linked, types, untilAborted } from "./support.js";

describe.each([
  ["that only goes idle", { plain: true }],
  ["that completes turns", { plain: true, completesTurns: true }],
])("against a plain daemon %s", (_name, options) => {
  test("the stream tells one gap, yields each message once, and goes on to its result", async () => {
    const link = await linked(options);
    let finish: () => void = () => {};
    link.daemon.onPrompt(async (prompt) => {
      prompt.message("first");
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      prompt.message("last");
    });
    const session = await link.connection.createSession();
    const events = collect(session.stream("hi"));
    await link.clock.settle();
    link.daemon.cut();
    await cameBack(link);
    finish();
    const seen = await events;
    expect(types(seen)).toEqual(["user", "assistant", "gap", "assistant", "result"]);
    expect(seen[2]).toMatchObject({ reason: "no-replay", snapshot: { history: [{}, {}] } });
    expect(seen.at(-1)).toMatchObject({ text: "last" });
  });

  test("a turn that ended meanwhile ends the stream with a result of the loaded messages", async () => {
    const link = await linked(options);
    link.daemon.onPrompt(async (prompt) => {
      await untilAborted(prompt, link.daemon.stop.bind(link.daemon));
      prompt.message("while you were away");
    });
    const session = await link.connection.createSession();
    const events = collect(session.stream("hi"));
    await link.clock.settle();
    await link.clock.settle();
    link.daemon.start();
    await cameBack(link);
    const seen = await events;
    expect(types(seen)).toEqual(["user", "gap", "assistant", "result"]);
    expect(seen.at(-1)).toMatchObject({ text: "while you were away", success: true });
  });

  test("only what reads is repeated: a prompt without acknowledgement rejects with CONNECTION_LOST", async () => {
    const link = await linked(options);
    const session = await link.connection.createSession();
    link.daemon.faults.stall();
    const sending = rejection(session.send("hi"));
    const listing = link.connection.listOpenedSessions();
    await link.clock.settle();
    link.daemon.cut();
    link.daemon.faults.heal();
    await link.clock.settle();
    expect(await sending).toMatchObject({ code: "CONNECTION_LOST" });
    await cameBack(link);
    expect(await listing).toHaveLength(1);
  });
});
