import { InvalidOptionError } from "@daemon-sdk/protocol";
import { FakeDaemon } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { connectDaemon, type DaemonSession } from "../../src/index.js";
import { connected, rejection } from "../support.js";

/** What JavaScript callers can pass, whatever the types say. */
type Loose = Parameters<typeof connectDaemon>[0] & Record<string, unknown>;

test.each<[option: string, value: unknown, accepted: string]>([
  ["url", "http://x", "ws://, wss://, ws+unix://"],
  ["url", 7, "a string"],
  ["machine", "local", "an object"],
  ["machine.type", { type: "laptop" }, '"local", "ephemeral", "computer", "fleet"'],
  ["machine.computerId", { type: "computer" }, "the id of a computer"],
  ["machine.sandboxId", { type: "ephemeral", sandboxId: "a.b/c" }, "letters, digits and hyphens"],
  ["apiKey", "  ", "not empty"],
  ["token", "", "not empty"],
  ["ticket", " ", "not empty"],
  ["maxRetries", -1, "at least 0"],
  ["daemonPort", 70_000, "from 1 to 65535"],
  ["relayBaseUrl", "https://x", "ws://, wss://"],
  ["transport", {}, "a function"],
  ["signal", {}, "an AbortSignal"],
  ["logger.info", { debug() {} }, "a function"],
  ["permissionHandler", "yes", "a function"],
  ["askUserHandler", 1, "a function"],
  ["onStatus", 1, "a function"],
  ["onError", 1, "a function"],
  ["reconnect", "yes", "a boolean or an object with maxElapsedMs and maxAttempts"],
  ["reconnect.maxAttempts", { maxAttempts: 0 }, "at least 1"],
  ["reconnect.maxElapsedMs", { maxElapsedMs: "5m" }, "a whole number"],
  ["heartbeat.intervalMs", { intervalMs: -1 }, "at least 1"],
  ["clock", 7, "an object"],
  ["clock.setTimer", {}, "a function"],
])("connectDaemon refuses a wrong `%s` before it dials, and says what it takes", async (option, value, accepted) => {
  const daemon = new FakeDaemon();
  const name = option.split(".")[0] as string;
  const transport = option === "url" || option === "transport" ? {} : { transport: daemon.dial };
  const error = await rejection(connectDaemon({ apiKey: "fk", ...transport, [name]: value } as Loose));
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect(error).toMatchObject({ code: "INVALID_OPTION", option });
  expect((error as Error).message).toContain(accepted);
  expect(daemon.dials).toBe(0);
});

test("an option's value never stands in the error: it may be a secret", async () => {
  const error = (await rejection(connectDaemon({ url: "http://user:hunter2@host" }))) as Error;
  expect(error.message).not.toContain("hunter2");
});

test.each<[option: string, options: Record<string, unknown>]>([
  ["cwd", { cwd: "" }],
  ["autonomyLevel", { autonomyLevel: "very" }],
  ["interactionMode", { interactionMode: "x" }],
  ["reasoningEffort", { reasoningEffort: "x" }],
  ["tags[0].name", { tags: [{}] }],
  ["mcpServers", { mcpServers: {} }],
  ["mcpServers[0].name", { mcpServers: [{ command: "x" }] }],
  ["sessionSource.platform", { sessionSource: {} }],
  ["systemPrompt", { systemPrompt: 7 }],
  ["agentParams", { agentParams: [] }],
  ["permissionHandler", { permissionHandler: true }],
  ["agent", { agent: "other" }],
  ["enabledToolIds[0]", { enabledToolIds: [7] }],
])("createSession refuses a wrong `%s` before it sends", async (option, options) => {
  const { daemon, connection } = await connected();
  expect(await rejection(connection.createSession(options))).toMatchObject({ code: "INVALID_OPTION", option });
  expect(daemon.received.map(({ method }) => method)).toEqual(["authenticate"]);
});

test("an agent is asked for by name, also one that the daemon may find after it sent its list", async () => {
  const { daemon, connection } = await connected({ capabilities: { agents: ["workspace", "droid"] } });
  const error = await rejection(connection.createSession({ agent: "codex" }));
  expect(error).toMatchObject({ code: "INVALID_PARAMS", message: expect.stringContaining("workspace, droid") });
  expect((await daemon.waitForRequest("initialize_session")).params.agent).toBe("codex");
});

test.each<[option: string, call: (session: DaemonSession) => unknown]>([
  ["prompt", (session) => session.stream("  ")],
  ["prompt", (session) => session.send(7 as unknown as string)],
  ["messageId", (session) => session.stream("x", { messageId: "" })],
  [
    "images[0].mediaType",
    (session) => session.stream("x", { images: [{ type: "base64", data: "", mediaType: "image/bmp" }] }),
  ],
  ["files[0]", (session) => session.send("x", { files: [{ type: "text" } as never] })],
  ["signal", (session) => session.stream("x", { signal: true as never })],
  ["maxBufferedBytes", (session) => session.stream("x", { maxBufferedBytes: 0 })],
  ["outputFormat", (session) => session.stream("x", { outputFormat: "json" as never })],
  ["title", (session) => session.rename("")],
  ["autonomyLevel", (session) => session.updateSettings({ autonomyLevel: "x" })],
])("a session refuses a wrong `%s` before it sends", async (option, call) => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const sent = daemon.received.length;
  expect(await rejection((async () => call(session))())).toMatchObject({ code: "INVALID_OPTION", option });
  expect(daemon.received.length).toBe(sent);
});

test("a prompt may be empty when an image goes along", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const image = { type: "base64", data: "aGk=", mediaType: "image/png" } as const;
  await session.send("", { images: [image] });
  expect((await daemon.waitForRequest("add_user_message")).params).toMatchObject({ text: "", images: [image] });
});
