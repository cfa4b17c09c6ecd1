import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { collect, openSession, resultOf, type StressCheck } from "./check.js";

export const sessionChecks: readonly StressCheck[] = [
  {
    title: "resume: another connection comes back to the conversation after the first one left",
    async run(ground) {
      const first = await connectDaemon({ url: ground.daemon.url, token: ground.daemon.token });
      const { sessionId } = await (async () => {
        const session = await first.createSession({ cwd: ground.daemon.workspace });
        await collect(session, "say remember the milk");
        return session;
      })();
      await first.close();
      await using session = await ground.connection.resumeSession(sessionId);
      assert.match(resultOf(await collect(session, "recall")).text, /remember the milk/);
    },
  },
  {
    title: "five concurrent sessions on one socket: each hears its own 200 deltas, in order, and no other's",
    async run(ground) {
      const names = ["ant", "bee", "cat", "dog", "eel"];
      await Promise.all(
        names.map(async (name) => {
          await using session = await openSession(ground);
          const prompt = `stream 200 of 10 ; then say ${name}`;
          const events = await collect(session, prompt, { includePartialMessages: true });
          const text = resultOf(events).text;
          assert.ok(text.includes(name), `${name} hears its own answer`);
          const others = names.filter((other) => other !== name && text.includes(other));
          assert.deepEqual(others, [], `${name} hears nobody else`);
          const deltas = events.filter((event) => event.type === "assistant_text_delta");
          assert.ok(deltas.length >= 200, `${name} gets all deltas, got ${deltas.length}`);
        }),
      );
    },
  },
  {
    title: "permission handler: asked once for each write, and its answer decides",
    async run(ground) {
      const asked: string[] = [];
      await using session = await openSession(ground, {
        autonomyLevel: "off",
        permissionHandler({ toolUses }) {
          const target = JSON.stringify(toolUses[0]?.toolUse.input);
          asked.push(target);
          return target.includes("yes.txt") ? "proceed_once" : "cancel";
        },
      });
      await collect(session, "write yes.txt: written");
      const refused = await collect(session, "write no.txt: never");
      assert.equal(asked.length, 2);
      assert.equal(readFileSync(join(ground.daemon.workspace, "yes.txt"), "utf8").trim(), "written");
      assert.throws(() => readFileSync(join(ground.daemon.workspace, "no.txt")));
      assert.ok(refused.some((event) => event.type === "tool_result" && event.isError));
    },
  },
  {
    title: "ask-user handler: asked once, and the agent works on with the answer",
    async run(ground) {
      let asked = 0;
      await using session = await openSession(ground, {
        askUserHandler({ questions }) {
          asked += 1;
          const answers = questions.map(({ index, question, options }) => ({
            index,
            question,
            answer: options[1] ?? "",
          }));
          return { answers };
        },
      });
      const { text } = resultOf(await collect(session, "ask Which one? red | green | blue"));
      assert.equal(asked, 1);
      assert.match(text, /You chose green\./);
    },
  },
];
