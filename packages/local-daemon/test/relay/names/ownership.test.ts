import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { type RawPeer, RelayDaemon } from "../relay-daemon.js";

const OWNER = { process_credential: "only the owner has this" };

function refusalOf(peer: RawPeer): unknown {
  return peer.all("ERROR").find(({ payload }) => payload.fatal === true)?.payload;
}

const HELD = { code: "DUPLICATE_CONNECTION", fatal: true };

describe("a name that is connected", () => {
  test("stays with its connection when a stranger asks for it", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.stranger("Alice");
    const bob = await daemon.stranger("Bob");
    const impostor = await daemon.stranger("Alice");
    expect(refusalOf(impostor)).toMatchObject({ ...HELD, message: expect.stringContaining("It is connected") });
    bob.send("Alice", "for the first one");
    expect((await alice.next("DELIVER")).payload.body).toBe("for the first one");
    expect(impostor.isEnded).toBe(true);
  });

  test("goes to the one who shows its resume token, or the credential of its process", async () => {
    await using daemon = await RelayDaemon.start();
    const first = await daemon.stranger("Alice", OWNER);
    const token = first.all("WELCOME")[0]?.payload.resume_token as string;
    const second = await daemon.stranger("Alice", OWNER);
    await first.ended();
    const third = await daemon.stranger("Alice", { session: { resume_token: token } });
    await second.ended();
    expect([first, second].map(refusalOf)).toEqual([expect.objectContaining(HELD), expect.objectContaining(HELD)]);
    expect(refusalOf(third)).toBeUndefined();
  });

  test("is not had with a credential that is none", async () => {
    await using daemon = await RelayDaemon.start();
    const short = await daemon.stranger("Alice", { process_credential: "short" });
    expect(refusalOf(short)).toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining("process_credential"),
    });
    await daemon.stranger("Alice", OWNER);
    const guess = await daemon.stranger("Alice", { process_credential: "some other credential" });
    expect(refusalOf(guess)).toMatchObject(HELD);
  });

  test("of a user has further connections with the same credential only", async () => {
    await using daemon = await RelayDaemon.start();
    const user = { entityType: "user", ...OWNER };
    const tabs = [await daemon.stranger("Uma", user), await daemon.stranger("Uma", user)];
    const stranger = await daemon.stranger("Uma", { entityType: "user" });
    expect(refusalOf(stranger)).toMatchObject(HELD);
    const alice = await daemon.connect("Alice");
    alice.send("Uma", "hi");
    for (const tab of tabs) expect((await tab.next("DELIVER")).payload.body).toBe("hi");
  });
});

describe("a name that has mail", () => {
  test("is kept for its owner, over a restart of the daemon too", async () => {
    const store = new MemoryStore();
    await using first = await RelayDaemon.start({ store });
    const alice = await first.connect("Alice");
    const owner = await first.stranger("Bob");
    const token = owner.all("WELCOME")[0]?.payload.resume_token as string;
    await owner.leave();
    alice.send("Bob", "secret for Bob");
    await alice.settled();
    await first.close();
    await using second = await RelayDaemon.start({ store });
    for (const session of [{}, { session: { resume_token: "made-up" } }]) {
      const thief = await second.stranger("Bob", session);
      expect(refusalOf(thief)).toMatchObject({ ...HELD, message: expect.stringContaining("Mail waits") });
      expect(thief.bodies()).toEqual([]);
    }
    const back = await second.stranger("Bob", { session: { resume_token: token } });
    expect((await back.next("DELIVER")).payload.body).toBe("secret for Bob");
  });

  test("cannot be removed by others, and not be had by a SPAWN", async () => {
    await using daemon = await RelayDaemon.start({ spawnManager: true });
    const alice = await daemon.connect("Alice");
    const owner = await daemon.stranger("Bob", OWNER);
    await owner.cut();
    alice.send("Bob", "kept");
    await alice.settled();
    alice.write(createEnvelope("REMOVE_AGENT", { name: "Bob", removeMessages: true }));
    const removal = (await alice.next("REMOVE_AGENT_RESPONSE")).payload;
    expect(removal).toMatchObject({ success: false, message: expect.stringContaining("Mail waits") });
    alice.write(createEnvelope("SPAWN", { name: "Bob", cli: "workspace-agent", task: "" }));
    const spawn = (await alice.next("SPAWN_RESULT")).payload;
    expect(spawn).toMatchObject({ success: false, error: expect.stringContaining("another owner") });
    const back = await daemon.stranger("Bob", OWNER);
    expect((await back.next("DELIVER")).payload.body).toBe("kept");
  });
});

describe("a name without connection and mail", () => {
  test("is free; whoever had it before and lost it has it again by its token, and the newcomer has it no more", async () => {
    await using daemon = await RelayDaemon.start();
    const owner = await daemon.stranger("Bob");
    const token = owner.all("WELCOME")[0]?.payload.resume_token as string;
    await owner.cut();
    const squatter = await daemon.stranger("Bob", { process_credential: "the credential of a squatter" });
    expect(refusalOf(squatter)).toBeUndefined();
    const back = await daemon.stranger("Bob", { session: { resume_token: token } });
    await squatter.ended();
    const again = await daemon.stranger("Bob", { process_credential: "the credential of a squatter" });
    expect(refusalOf(again)).toMatchObject(HELD);
    expect(back.isEnded).toBe(false);
  });

  test("that was given up with BYE is the next one's for good", async () => {
    await using daemon = await RelayDaemon.start();
    const former = await daemon.stranger("Bob", OWNER);
    await former.leave();
    const present = await daemon.stranger("Bob");
    expect(refusalOf(present)).toBeUndefined();
    expect(refusalOf(await daemon.stranger("Bob", OWNER))).toMatchObject(HELD);
  });
});

describe("open names", () => {
  test("belong to the newest connection, as in the original", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const old = await daemon.stranger("Bob");
    const fresh = await daemon.stranger("Bob");
    await old.ended();
    expect(refusalOf(old)).toMatchObject(HELD);
    expect(refusalOf(fresh)).toBeUndefined();
  });
});

describe("a name that looks like a known one", () => {
  test.each([
    ["another case", "alice"],
    ["a Cyrillic letter", "\u0410lice"],
    ["full width", "\uff21\uff4c\uff49\uff43\uff45"],
    ["capital I for l", "AIice"],
    ["one for l", "A1ice"],
    ["an invisible letter", "Alice\u200b"],
    ["a right-to-left override", "\u202eecilA"],
    ["a letter of Hangul without a shape", "Alice\u3164"],
    ["a blank that is not the common one", "Al\u00a0ice"],
  ])("by %s is refused", async (_, name) => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    expect(refusalOf(await daemon.stranger(name))).toMatchObject({ code: "BAD_REQUEST", fatal: true });
    await alice.settled();
    expect(alice.isEnded).toBe(false);
  });

  test.each(["System", "dashboard", "CLI", "_R0UTER"])("like the reserved %s is refused", async (name) => {
    await using daemon = await RelayDaemon.start();
    const refusal = refusalOf(await daemon.stranger(name));
    expect(refusal).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("reserved") });
  });

  test("is refused for a worker, too", async () => {
    await using daemon = await RelayDaemon.start({ spawnManager: true });
    const alice = await daemon.connect("Alice");
    alice.write(createEnvelope("SPAWN", { name: "AL1CE", cli: "workspace-agent", task: "" }));
    expect((await alice.next("SPAWN_RESULT")).payload).toMatchObject({ success: false });
  });

  test("is taken once that one was removed, and names of every script are", async () => {
    await using daemon = await RelayDaemon.start();
    await (await daemon.connect("Worker")).leave();
    const alice = await daemon.connect("Alice");
    alice.write(createEnvelope("REMOVE_AGENT", { name: "Worker" }));
    expect((await alice.next("REMOVE_AGENT_RESPONSE")).payload.success).toBe(true);
    for (const name of ["worker", "\u00c1lice", "Алиса", "アリス", "爱丽丝", "앨리스", "أليس", "Agent 007"]) {
      expect([name, refusalOf(await daemon.stranger(name))]).toEqual([name, undefined]);
    }
  });
});
