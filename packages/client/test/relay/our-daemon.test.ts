import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDaemon, type Daemon } from "@daemon-sdk/local-daemon/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RelayClient, type RelayClientOptions } from "../../src/relay/index.js";

let directory: string;
let daemon: Daemon;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "relay-"));
  daemon = await createDaemon({ stateDir: join(directory, "state") });
});
afterAll(async () => {
  await daemon.close({ drainMs: 0 });
  rmSync(directory, { recursive: true, force: true });
});

function addressOf(way: string): RelayClientOptions {
  const { socketPath = "" } = daemon.endpoint;
  return way === "unix socket" ? { socketPath } : { url: `ws+unix://${socketPath}:/relay` };
}

describe.each(["unix socket", "WebSocket"])("over a %s, our daemon", (way) => {
  const nameOf = (name: string) => `${name}-${way.replace(" ", "-")}`;
  const open = async (name: string) => {
    const client = new RelayClient({ agentName: nameOf(name), ...addressOf(way) });
    await client.connect();
    return client;
  };

  test("tells what became of each message: delivered, queued, refused", async () => {
    await using alice = await open("Alice");
    const bob = await open("Bob");
    expect(await alice.send(nameOf("Bob"), "now")).toMatchObject({ state: "delivered" });
    expect((await bob.messages().next()).value).toMatchObject({ from: nameOf("Alice"), body: "now" });
    await bob.close();
    expect(await alice.send(nameOf("Bob"), "later")).toMatchObject({ state: "queued" });
    expect(await alice.send("Nobody", "never")).toMatchObject({ state: "refused", code: "NOT_FOUND" });
  });

  test("keeps what was not handled, and delivers it to the next client of the name", async () => {
    await using dora = await open("Dora");
    const first = await open("Carl");
    await dora.send(nameOf("Carl"), "one");
    await dora.send(nameOf("Carl"), "two");
    // Taken, and never put down: the process might have died over it.
    const { value: one } = await first.messages().next();
    await first.close();
    await using second = await open("Carl");
    const messages = second.messages();
    expect((await messages.next()).value).toMatchObject({ id: one?.id, body: "one" });
    expect((await messages.next()).value).toMatchObject({ body: "two" });
  });

  test("gives a name with mail to the program that keeps its credential, and to no other one", async () => {
    await using alice = await open("Alice");
    const mine = { agentName: nameOf("Ben"), processCredential: "a secret that Ben keeps", ...addressOf(way) };
    const first = new RelayClient(mine);
    await first.connect();
    await first.close();
    await alice.send(nameOf("Ben"), "for Ben");
    const thief = new RelayClient({ ...mine, processCredential: "another program's one" });
    await expect(thief.connect()).rejects.toMatchObject({ code: "NAME_TAKEN" });
    await using second = new RelayClient(mine);
    await second.connect();
    expect((await second.messages().next()).value).toMatchObject({ body: "for Ben" });
  });

  test("lets one of two clients of a name stay: the newer", async () => {
    const old = await open("Twin");
    await using young = await open("Twin");
    expect(await old.closed).toMatchObject({ code: "NAME_TAKEN" });
    expect([old.state, young.state]).toEqual(["closed", "ready"]);
  });
});
