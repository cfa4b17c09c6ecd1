import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../expectation.js";
import { isNotification, sessionIdOf, type WireFrame, wordFor } from "../wire-frame.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";

/** docs/protocol.md §6 and §10: sessions, attach and detach. */
export const SESSION_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P6.1-initialize",
    "initialize_session names the new session; the caller may choose its id",
    async (bench) => {
      const sessionId = newId();
      const chosen = await bench.session({ params: { sessionId } });
      expectEqual(chosen.sessionId, sessionId, "the sessionId");
      const other = await bench.session({ client: chosen.client });
      expectThat(other.sessionId !== sessionId, "two sessions have one id");
    },
  ),

  daemonCase("P6.2-load", "load_session brings the conversation, and no sessionId", async (bench) => {
    const opened = await bench.session();
    const messageId = await bench.turn(opened, bench.prompts.say("remembered"));
    const { snapshot } = await bench.join(opened.sessionId);
    expectThat(!("sessionId" in snapshot), "the result holds a sessionId");
    const [asked, answered] = messagesOf(snapshot);
    expectEqual([asked?.id, asked?.role, answered?.role], [messageId, "user", "assistant"], "the messages");
    expectThat(JSON.stringify(answered?.content).includes("remembered"), "the answer is not in the conversation");
  }),

  daemonCase("P6.3-unknown", "an unknown session is -32004, with its id in data", async (bench) => {
    const client = await bench.client();
    const sessionId = newId();
    for (const method of ["load_session", "add_user_message", "close_session", "interrupt_session"]) {
      const { error } = await client.call(method, { sessionId, token: "local", text: "x" });
      expectEqual([error?.code, error?.data?.sessionId], [-32_004, sessionId], `the refusal of ${method}`);
    }
  }),

  daemonCase("P6.4-everyone", "every attached connection receives all entries, in the same order", async (bench) => {
    const opened = await bench.session();
    const { client: second } = await bench.join(opened.sessionId);
    const from = opened.client.entries(opened.sessionId).length;
    const messageId = await bench.turn(opened, bench.prompts.stream(50));
    await second.turnEnd(messageId);
    const heard = second.entries(opened.sessionId).map(textOf);
    const expected = opened.client.entries(opened.sessionId).slice(from).map(textOf).slice(0, heard.length);
    expectEqual(heard, expected, "what the second connection heard");
  }),

  daemonCase(
    "P6.5-nobody-else",
    "a connection receives nothing of a session that it is not attached to",
    async (bench) => {
      const stranger = await bench.session();
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.say("private"));
      await bench.settle(stranger.client);
      const heard = stranger.client.frames.filter((frame) => sessionIdOf(frame) === opened.sessionId);
      expectEqual(heard.length, 0, "frames of the other's session");
    },
  ),

  daemonCase("P6.6-routing", "entries of two sessions on one connection name their session", async (bench) => {
    const first = await bench.session();
    const second = await bench.session({ client: first.client });
    const ids = await Promise.all([
      bench.turn(first, bench.prompts.say("for-the-first")),
      bench.turn(second, bench.prompts.say("for-the-second")),
    ]);
    const told = first.client.frames.filter(({ method }) => method === "daemon.session_notification");
    expectThat(
      told.every((frame) => typeof sessionIdOf(frame) === "string"),
      "a notification names no session",
    );
    const ends = told.filter((frame) => isNotification(frame, "create_message"));
    for (const [index, { sessionId }] of [first, second].entries()) {
      const own = JSON.stringify(ends.filter((frame) => sessionIdOf(frame) === sessionId));
      expectThat(own.includes(String(ids[index])), "a message is not told under its own session");
      expectThat(!own.includes(String(ids[1 - index])), "a message is told under another session");
    }
  }),

  daemonCase("P6.7-drop", "a session and its turn continue when a connection drops", async (bench) => {
    const opened = await bench.session();
    const { client: second } = await bench.join(opened.sessionId);
    const messageId = await bench.prompt(opened, bench.prompts.stream(100));
    opened.client.transport.terminate();
    await second.turnEnd(messageId);
    const { snapshot } = await bench.join(opened.sessionId);
    expectThat(messagesOf(snapshot).length >= 2, "the conversation lacks the turn");
  }),

  daemonCase(
    "P6.8-close",
    "close_session tells the others, and the conversation can be loaded again",
    async (bench) => {
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.say("kept"));
      const { client: second } = await bench.join(opened.sessionId);
      await opened.client.result("close_session", { sessionId: opened.sessionId });
      await second.waitFor((frame) => isNotification(frame, "session_closed"), "session_closed");
      const { snapshot } = await bench.join(opened.sessionId);
      expectThat(JSON.stringify(messagesOf(snapshot)).includes("kept"), "the conversation is gone");
    },
  ),

  daemonCase(
    "P6.9-snapshot",
    "a snapshot and what follows it leave out and repeat no message",
    async (bench) => {
      const opened = await bench.session();
      const joined: Awaited<ReturnType<typeof bench.join>>[] = [];
      for (const prompt of [bench.prompts.say("first"), bench.prompts.stream(60), bench.prompts.say("third")]) {
        await bench.prompt(opened, prompt);
        joined.push(await bench.join(opened.sessionId));
      }
      const last = await bench.turn(opened, bench.prompts.say("last"));
      const whole = messagesOf((await bench.join(opened.sessionId)).snapshot).map(({ id }) => id);
      for (const { client, snapshot } of joined) {
        await client.turnEnd(last);
        const followed = client.entries(opened.sessionId).flatMap(messageIdOf);
        expectEqual([...messagesOf(snapshot).map(({ id }) => id), ...followed], whole, "ids of all messages");
      }
    },
    ["turns"],
  ),

  daemonCase(
    "P6.10-in-mid-turn",
    "a snapshot in mid-turn has the working state and the pending requests",
    async (bench) => {
      const opened = await bench.session();
      const running = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor(({ params }) => isText(params?.notification), "the turn's first words");
      const waiting = await bench.prompt(opened, bench.prompts.say("later"));
      const { snapshot } = await bench.join(opened.sessionId);
      const { isAgentLoopInProgress, workingState, queuedMessages } = snapshot;
      expectEqual(isAgentLoopInProgress, true, "isAgentLoopInProgress");
      expectThat(workingState !== "idle", "workingState is idle in mid-turn");
      const queued = (queuedMessages as { messageId?: string }[] | undefined)?.map(({ messageId }) => messageId);
      expectEqual(queued, [waiting], "the queue");
      await opened.client.result("interrupt_session", { sessionId: opened.sessionId });
      await opened.client.turnEnd(running);
    },
  ),

  daemonCase(
    "P6.11-agents",
    "an agent that is not offered is refused with -32602, an offered one is taken",
    async (bench) => {
      const client = await bench.open();
      const result = await client.result("authenticate", { caller: "daemon-contract", ...bench.harness.credential });
      const [agent] = (result.capabilities as { agents: string[] }).agents;
      await bench.session({ client, params: { agent } });
      const params = { token: "local", machineId: "default", cwd: ".", agent: "no-such-agent" };
      expectEqual(await client.codeOf("initialize_session", params), -32_602, "the code");
    },
    ["agents"],
  ),

  daemonCase(
    "P6.12-about-sessions",
    "a renamed session is listed with its title, its messages in pages",
    async (bench) => {
      const opened = await bench.session();
      const { client, sessionId } = opened;
      await bench.turn(opened, bench.prompts.say("hello"));
      await client.result("rename_session", { sessionId, title: "A title of its own" });
      const { sessions } = await client.result("list_available_sessions", { limit: 100 });
      const row = (sessions as { sessionId: string; title?: string }[]).find((one) => one.sessionId === sessionId);
      expectEqual(row?.title, "A title of its own", "the title");
      const page = await client.result("get_session_messages", { sessionId, limit: 1 });
      expectEqual([(page.messages as unknown[]).length, page.hasMore], [1, true], "messages of the page and hasMore");
    },
  ),

  daemonCase(
    "P6.13-pages-by-bytes",
    "a page of get_session_messages holds 512 KiB or one message, and the pages lead through all of them",
    async (bench) => {
      const opened = await bench.session();
      const { client, sessionId } = opened;
      const asked: string[] = [];
      for (const word of ["a", "b"]) asked.push(await bench.turn(opened, bench.prompts.say(word.repeat(200 * 1024))));
      const pages: Message[][] = [];
      let cursor: unknown;
      do {
        const params = { sessionId, limit: 100, ...(cursor === undefined ? {} : { cursor }) };
        const page = await client.result("get_session_messages", params);
        expectEqual(page.hasMore, page.nextCursor !== undefined, "hasMore beside nextCursor");
        pages.unshift(page.messages as Message[]);
        cursor = page.nextCursor;
      } while (cursor !== undefined && pages.length < 10);
      const isSmall = (page: Message[]) => page.length === 1 || JSON.stringify(page).length <= PAGE_BYTES;
      expectThat(pages.every(isSmall), `pages have ${pages.map((page) => JSON.stringify(page).length).join()} bytes`);
      const ids = pages.flat().map(({ id }) => id);
      expectEqual(
        ids.filter((id) => asked.includes(id)),
        asked,
        "prompts on all pages",
      );
      expectThat(
        ids.length >= 4 && new Set(ids).size === ids.length,
        `the pages hold ${ids.length} messages, some twice`,
      );
    },
  ),

  daemonCase(
    "P6.14-listed-prompts",
    "a snapshot lists every queued prompt, and of those past 1 MiB the size in place of the text",
    async (bench) => {
      const opened = await bench.session();
      const running = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor(({ params }) => isText(params?.notification), "the turn's first words");
      const text = bench.prompts.say("q".repeat(600 * 1024));
      const ids = [await bench.prompt(opened, text), await bench.prompt(opened, text)];
      const { snapshot } = await bench.join(opened.sessionId);
      const queued = snapshot.queuedMessages as { messageId?: string; text: string }[];
      expectEqual(
        queued.map(({ messageId }) => messageId),
        ids,
        "the queue",
      );
      expectThat(queued[0]?.text === text, "the first prompt is not listed whole");
      const size = Number(/\d+/.exec(queued[1]?.text.slice(0, 1_000) ?? "")?.[0]);
      expectThat(size >= text.length && size < text.length + 1_000, `the size of the second prompt is ${size}`);
      await opened.client.result("interrupt_session", { sessionId: opened.sessionId });
      await opened.client.turnEnd(running);
    },
    ["turns"],
  ),

  daemonCase(
    "P6.15-move",
    "load_session moves a session that does not work to another directory, and every client learns of it",
    async (bench) => {
      const opened = await bench.session();
      const running = await bench.prompt(opened, bench.prompts.endless);
      const { sessionId } = opened;
      const client = await bench.client();
      const move = { sessionId, token: "local", inbox: true, cwd: "/" };
      const { error } = await client.call("load_session", move);
      expectEqual([error?.code, error?.data?.code], [-32_603, "SESSION_STATE"], "the refusal while a turn runs");
      await opened.client.result("interrupt_session", { sessionId });
      await opened.client.turnEnd(running);
      const { cwd } = await client.result("load_session", move);
      expectEqual(cwd, "/", "the directory in the snapshot");
      const isMove = (frame: WireFrame) => isNotification(frame, "session_working_directory_changed");
      const told = await opened.client.waitFor(isMove, "the notification of the move");
      expectEqual(told.params?.notification?.cwd, "/", "the directory in the notification");
      const { snapshot } = await bench.join(sessionId);
      expectEqual(snapshot.cwd, "/", "the directory in a later snapshot");
    },
    ["workspace", "turns"],
  ),

  daemonCase(
    "P6.16-directory",
    "list_files returns paths, and get_git_diff a difference or why there is none",
    async (bench) => {
      const { client, sessionId } = await bench.session();
      const { files } = await client.result("list_files", { sessionId });
      expectThat(Array.isArray(files) && files.every((path) => typeof path === "string"), "the files are no texts");
      const { success, data, unavailableReason } = await client.result("get_git_diff", { sessionId });
      const isDiff = success === true && typeof (data as { diff?: unknown })?.diff === "string";
      expectThat(isDiff || (success === false && typeof unavailableReason === "string"), "neither a diff nor a reason");
      for (const method of ["list_files", "get_git_diff"]) {
        const { error } = await client.call(method, { sessionId: newId() });
        expectEqual(error?.code, -32_004, `the refusal of ${method} for an unknown session`);
      }
    },
    ["workspace"],
  ),

  daemonCase(
    "P6.17-models",
    "list_models and get_default_settings answer without a session",
    async (bench) => {
      const client = await bench.client();
      const { models } = await client.result("list_models", {});
      expectThat(Array.isArray(models), "the models are no list");
      const defaults = await client.result("get_default_settings", {});
      expectThat(!("sessionId" in defaults), "the default settings name a session");
    },
    ["workspace"],
  ),

  daemonCase(
    "P6.18-delete",
    "delete_session refuses a session at work, ends it by force, tells the others, and leaves nothing to load",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const { client: second } = await bench.join(sessionId);
      const messageId = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      const { error } = await opened.client.call("delete_session", { sessionId });
      expectEqual(error?.data?.code, "SESSION_STATE", "the code of the refusal while a turn runs");
      expectEqual(await opened.client.result("delete_session", { sessionId, force: true }), {}, "the result by force");
      await second.turnEnd(messageId);
      const closed = await second.waitFor((frame) => isNotification(frame, "session_closed"), "session_closed");
      expectEqual(closed.params?.notification?.reason, "deleted", "the reason that the others get");
      for (const method of ["load_session", "delete_session", "get_session_messages"]) {
        const refused = await second.call(method, { sessionId, token: "t" });
        expectEqual(refused.error?.code, -32_004, `the code of ${method} after it`);
      }
      const { sessions } = await second.result("list_available_sessions", {});
      const listed = (sessions as { sessionId: string }[]).some((session) => session.sessionId === sessionId);
      expectThat(!listed, "the session is listed after it");
    },
    ["turns", "delete"],
  ),

  daemonCase(
    "P10.1-detach",
    "after detach_session a connection hears nothing, and the session goes on",
    async (bench) => {
      const opened = await bench.session();
      const { client: second } = await bench.join(opened.sessionId);
      expectEqual(await second.result("detach_session", { sessionId: opened.sessionId }), {}, "the result");
      const from = second.frames.length;
      await bench.turn(opened, bench.prompts.say("without you"));
      await bench.settle(second);
      const heard = second.frames.slice(from).filter((frame) => sessionIdOf(frame) === opened.sessionId);
      expectEqual(heard.length, 0, "frames of the session after it");
    },
    ["detach"],
  ),
];

/** Bytes of messages in one page, and of the punctuation of their list. */
const PAGE_BYTES = 512 * 1024 + 100;

interface Message {
  readonly id: string;
  readonly role: string;
  readonly content: unknown;
}

function messagesOf(snapshot: Readonly<Record<string, unknown>>): Message[] {
  return (snapshot.session as { messages: Message[] }).messages;
}

function messageIdOf({ params }: WireFrame): string[] {
  const notification = params?.notification;
  return notification?.type === "create_message" ? [(notification.message as Message).id] : [];
}

function isText(notification: { readonly type: string } | undefined): boolean {
  return notification?.type === "assistant_text_delta";
}

/** A whole entry without the fields that differ between connections. */
function textOf(frame: WireFrame): string {
  return `${wordFor(frame)} ${JSON.stringify(frame.params)}`;
}
