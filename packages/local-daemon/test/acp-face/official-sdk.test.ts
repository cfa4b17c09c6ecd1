import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { client, methods, ndJsonStream, PROTOCOL_VERSION, type SessionNotification } from "@agentclientprotocol/sdk";
import { expect, test } from "vitest";
import { daemonHome } from "../rendezvous/daemon-home.js";
import { spawnAcp } from "./editor.js";

test("the client of the protocol's own SDK opens a session, allows a tool, cancels, and loads the session again", async () => {
  await using home = daemonHome();
  const work = join(home.state, "..", "sdk-work");
  mkdirSync(work, { recursive: true });
  const program = spawnAcp(home.state);
  const { stdin, stdout } = program;
  const ended = once(program, "exit");
  // At its end the SDK may destroy both pipes with an error.
  for (const pipe of [stdin, stdout]) pipe.on("error", () => {});
  const stream = ndJsonStream(
    Writable.toWeb(stdin) as WritableStream<Uint8Array>,
    Readable.toWeb(stdout) as unknown as ReadableStream<Uint8Array>,
  );
  const updates: SessionNotification[] = [];
  let asked = 0;
  let isAsked: () => void = () => {};
  const firstText = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const editor = client()
    .onNotification(methods.client.session.update, ({ params }) => {
      updates.push(params);
      if (JSON.stringify(params).includes("1 ")) isAsked();
    })
    .onRequest(methods.client.session.requestPermission, ({ params }) => {
      asked++;
      const allow = params.options.find(({ kind }) => kind === "allow_once");
      return { outcome: { outcome: "selected" as const, optionId: allow?.optionId ?? "" } };
    });
  await editor.connectWith(stream, async (agent) => {
    const about = await agent.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: {},
    });
    expect(about.agentCapabilities?.loadSession).toBe(true);
    const { sessionId } = await agent.request(methods.agent.session.new, { cwd: work, mcpServers: [] });
    const text = (prompt: string) => ({ sessionId, prompt: [{ type: "text" as const, text: prompt }] });
    const first = await agent.request(methods.agent.session.prompt, text("write sdk.txt: yes ; then say done"));
    expect(first).toMatchObject({ stopReason: "end_turn" });
    expect(asked).toBe(1);
    expect(readFileSync(join(work, "sdk.txt"), "utf8")).toBe("yes");

    const second = agent.request(methods.agent.session.prompt, text("count 500 every 10"));
    await firstText;
    await agent.notify(methods.agent.session.cancel, { sessionId });
    expect(await second).toMatchObject({ stopReason: "cancelled" });

    updates.length = 0;
    await agent.request(methods.agent.session.load, { sessionId, cwd: work, mcpServers: [] });
    const kinds = updates.map(({ update }) => update.sessionUpdate);
    expect(kinds).toEqual(expect.arrayContaining(["user_message_chunk", "tool_call", "tool_call_update"]));
    const { sessions } = await agent.request(methods.agent.session.list, { cwd: work });
    expect(sessions.map((session) => session.sessionId)).toEqual([sessionId]);
  });
  stdin.end();
  expect((await ended)[0]).toBe(0);
});
