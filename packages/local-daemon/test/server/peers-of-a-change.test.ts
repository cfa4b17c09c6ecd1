import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { RelayClient } from "@daemon-sdk/client/relay";
import { expect, test } from "vitest";
import { startEditor } from "../acp-face/editor.js";
import { runCli } from "../cli/run-cli.js";
import { daemonHome } from "../rendezvous/daemon-home.js";

test("relay clients keep names, channels and mail through a change of the daemon, and see one reconnect", async () => {
  await using home = daemonHome();
  await runCli(home.state, "start");
  const states: string[] = [];
  const open = async (agentName: string) => {
    const client = new RelayClient({ agentName, socketPath: join(home.state, "daemon.sock") });
    await client.connect();
    return client;
  };
  await using alice = await open("Alice");
  await using bob = await open("Bob");
  const messages = bob.messages();
  bob.joinChannel("#team");
  // Mail of a name whose program is away, and a message that its receiver has not put down.
  await (await open("Carol")).close();
  expect(await alice.send("Carol", "kept")).toMatchObject({ state: "queued" });
  await alice.send("Bob", "before");
  expect((await messages.next()).value).toMatchObject({ from: "Alice", body: "before" });
  bob.onState = (state) => states.push(state);
  expect((await runCli(home.state, "restart")).code).toBe(0);
  // Queued where Alice is back first.
  await alice.send("Bob", "after");
  // "before" is put down only now, and does not come again.
  expect((await messages.next()).value).toMatchObject({ from: "Alice", body: "after" });
  alice.joinChannel("#team");
  await alice.post("#team", "to all");
  expect((await messages.next()).value).toMatchObject({ body: "to all" });
  expect(states.filter((state) => state === "ready")).toHaveLength(1);
  await using carol = await open("Carol");
  expect((await carol.messages().next()).value).toMatchObject({ from: "Alice", body: "kept" });
});

test("an editor of `local-daemon acp` keeps its session and its turn through a change of the daemon", async () => {
  await using home = daemonHome();
  const work = join(home.state, "..", "work");
  mkdirSync(work, { recursive: true });
  await using run = startEditor(home.state);
  const { editor } = run;
  await editor.open();
  const session = await editor.newSession(work);
  const prompt = editor.beginPrompt(session, "count 200 every 20 ; then say counted");
  await editor.when(() => editor.text(session).length > 8);
  expect((await runCli(home.state, "restart")).code).toBe(0);
  expect((await editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
  const numbers = editor.text(session).match(/\d+/g)?.map(Number) ?? [];
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, place) => place + 1));
  expect((await editor.prompt(session, "say again")).result).toEqual({ stopReason: "end_turn" });
});
