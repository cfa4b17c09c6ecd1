import { describe, expect, test } from "vitest";
import { RelayDesk, take } from "./relay-desk.js";

const desk = new RelayDesk();

describe("subscriptions and presence", () => {
  test("topics, channels and the shadowed agent are said again to each new connection, what was taken back is not", async () => {
    const { client, link } = await desk.connect();
    client.subscribe("builds");
    client.subscribe("noise");
    client.joinChannel("#dev", { displayName: "A" });
    client.shadow("Carl");
    client.unsubscribe("noise");
    for (const type of ["SUBSCRIBE", "SUBSCRIBE", "CHANNEL_JOIN", "SHADOW_BIND", "UNSUBSCRIBE"] as const)
      await link.next(type);
    link.cut();
    const { link: second } = await desk.comeBack();
    expect((await second.next("SUBSCRIBE")).topic).toBe("builds");
    expect((await second.next("CHANNEL_JOIN")).payload).toEqual({ channel: "#dev", displayName: "A" });
    expect((await second.next("SHADOW_BIND")).payload).toEqual({ primaryAgent: "Carl" });
    expect(second.received.filter(({ type }) => type === "SUBSCRIBE")).toEqual([]);
  });

  test("a resume that is too old goes on with a new session", async () => {
    const { client, link } = await desk.connect();
    link.cut();
    const second = await desk.hub.link();
    await second.next("HELLO");
    second.send("ERROR", { code: "RESUME_TOO_OLD", message: "unknown", fatal: false });
    second.welcome({ session: "s-2", token: "t-2" });
    second.deliver("hello again");
    expect((await take(client.messages(), 1))[0]?.body).toBe("hello again");
    expect([client.sessionId, client.isResumed]).toEqual(["s-2", false]);
    second.cut();
    const { hello } = await desk.comeBack();
    expect(hello.session).toEqual({ resume_token: "t-2" });
  });

  test("it hears who comes and who joins a channel, and can wait for a name", async () => {
    const { client, link } = await desk.connect();
    const events: unknown[] = [];
    client.onPresence = (event) => events.push(event);
    const here = client.waitForAgent("Bob");
    const { id } = await link.next("LIST_CONNECTED_AGENTS");
    link.send("LIST_CONNECTED_AGENTS_RESPONSE", { agents: [] }, { id });
    link.send("CHANNEL_JOIN", { channel: "#dev" }, { from: "Carl" });
    link.send("AGENT_READY", { name: "Bob", cli: "codex", connectedAt: 1 });
    await here;
    expect(events).toEqual([
      { type: "channel_joined", name: "Carl", channel: "#dev" },
      { type: "agent_ready", name: "Bob", cli: "codex" },
    ]);
  });

  test("it subscribes to the presence that it needs, for as long as it needs it", async () => {
    const { client, link } = await desk.connect();
    client.onPresence = () => {};
    expect((await link.next("SUBSCRIBE")).topic).toBe("@presence");
    const here = client.waitForAgent("Bob");
    expect((await link.next("SUBSCRIBE")).topic).toBe("@presence/Bob");
    link.send("PRESENCE", { events: [{ type: "ready", name: "Bob", connectedAt: 1 }] });
    await here;
    expect((await link.next("UNSUBSCRIBE")).topic).toBe("@presence/Bob");
    client.onPresence = undefined;
    expect((await link.next("UNSUBSCRIBE")).topic).toBe("@presence");
  });

  test("it gives up after the attempts it was given, with the reason", async () => {
    const { client, link } = await desk.connect({ maxReconnectAttempts: 1 });
    link.cut();
    await desk.hub.stop();
    expect(await client.closed).toMatchObject({ code: "CONNECTION_LOST" });
    expect(client.state).toBe("closed");
  });
});
