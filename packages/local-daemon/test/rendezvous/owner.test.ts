import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionError, silentLogger } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { claimStateDir } from "../../src/rendezvous/claim.js";
import { ensureLocalDaemon } from "../../src/rendezvous/ensure.js";
import { awaitOwner, readOwner, writeOwner } from "../../src/rendezvous/owner-file.js";
import { createDaemon } from "../../src/server.js";
import { daemonHome } from "./daemon-home.js";
import { tempHome } from "./temp-home.js";

describe("a daemon that a program of its own runs", () => {
  test("is waited for when it is away, and no default daemon takes its place", async () => {
    using home = tempHome();
    const first = await createDaemon({ stateDir: home.state, program: "my-service" });
    expect(await readOwner(home.state)).toBe("my-service");
    await first.close();
    const waiting = ensureLocalDaemon({ stateDir: home.state });
    const second = await createDaemon({ stateDir: home.state, program: "my-service" });
    expect(await waiting).toMatchObject({ started: false, instanceId: second.endpoint.instanceId });
    await second.close();
  });

  test("is named when it does not come back, with what to do", async () => {
    using home = tempHome();
    await (await createDaemon({ stateDir: home.state, program: "my-service" })).close();
    const refusal = await awaitOwner(home.state, undefined, 100).catch((error: unknown) => error);
    expect(ConnectionError.is(refusal, "DAEMON_NOT_RUNNING")).toBe(true);
    expect(String(refusal)).toMatch(/"my-service".*local-daemon start/);
  });

  test("is waited for no longer than the caller's signal says", async () => {
    using home = tempHome();
    await (await createDaemon({ stateDir: home.state, program: "my-service" })).close();
    const reason = new Error("enough");
    await expect(awaitOwner(home.state, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("has the file name of the program by default", async () => {
    using home = tempHome();
    const daemon = await createDaemon({ stateDir: home.state });
    expect(await readOwner(home.state)).toMatch(/\w/);
    await daemon.close();
  });
});

test("the default daemon owns nothing: whoever needs it starts it", async () => {
  await using home = daemonHome();
  await ensureLocalDaemon({ stateDir: home.state });
  expect(await readOwner(home.state)).toBeUndefined();
});

test("the default daemon that is started on purpose takes the place over", async () => {
  using home = tempHome();
  const claim = await claimStateDir({ stateDir: home.state, logger: silentLogger });
  await writeOwner(home.state, "my-service");
  await writeOwner(home.state, "local-daemon");
  expect(await readOwner(home.state)).toBeUndefined();
  await claim.release();
});

test.each(["", "{", "[]", '{"program":7}', '{"program":"my-serv'])(
  "an owner file that says %o owns nothing",
  async (text) => {
    await using home = daemonHome();
    await home.write("owner.json", text);
    expect(await readOwner(home.state)).toBeUndefined();
  },
);

test("an owner file that cannot be removed is told by its path", async () => {
  await using home = daemonHome();
  await mkdir(join(home.state, "owner.json", "inside"), { recursive: true, mode: 0o700 });
  await expect(writeOwner(home.state, "local-daemon")).rejects.toMatchObject({
    code: "STORAGE_FAILED",
    message: expect.stringContaining("owner.json"),
  });
});
