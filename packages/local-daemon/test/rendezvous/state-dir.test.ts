import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { checkStateDir, openStateDir, resolveStateDir } from "../../src/rendezvous/state-dir.js";
import { tempHome } from "./temp-home.js";

describe("the place of the state directory", () => {
  test.each([
    [{ DAEMON_SDK_HOME: "/a", XDG_RUNTIME_DIR: "/run/user/1", HOME: "/home/me" }, "/a"],
    [{ XDG_STATE_HOME: "/states", XDG_RUNTIME_DIR: "/run/user/1", HOME: "/home/me" }, "/states/daemon-sdk"],
    [{ XDG_STATE_HOME: "relative", HOME: "/home/me" }, "/home/me/.local/state/daemon-sdk"],
    // The same with and without the variable: one daemon for a desktop's terminal and for cron.
    [{ XDG_RUNTIME_DIR: "/run/user/1", HOME: "/home/me" }, "/home/me/.local/state/daemon-sdk"],
    [{ HOME: "/home/me" }, "/home/me/.local/state/daemon-sdk"],
    // A user of a container that has no home.
    [{ XDG_RUNTIME_DIR: "/run/user/1" }, "/run/user/1/daemon-sdk"],
    [{ DAEMON_SDK_HOME: "", XDG_RUNTIME_DIR: "", HOME: "/home/me" }, "/home/me/.local/state/daemon-sdk"],
  ])("of %o is %s", (env, expected) => {
    expect(resolveStateDir(env)).toBe(expected);
  });

  test("without HOME is refused, naming what to set (D5)", () => {
    expect(() => resolveStateDir({})).toThrow(/HOME is not set.*DAEMON_SDK_HOME/);
  });

  test("that is relative is refused", () => {
    expect(() => resolveStateDir({ DAEMON_SDK_HOME: "here" })).toThrow(/absolute path/);
  });
});

describe("a state directory", () => {
  test.skipIf(process.platform !== "linux")("where nothing can be made is refused at once, naming it", async () => {
    // Node's own recursive `mkdir` never returns here.
    const path = "/proc/nothing/state";
    await expect(openStateDir(path)).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining(path),
    });
  });

  test("is created 0700 with its parents, under any umask (S6)", async () => {
    for (const umask of [0o000, 0o022, 0o077]) {
      using home = tempHome();
      const before = process.umask(umask);
      try {
        await openStateDir(join(home.path, "a", "state"));
      } finally {
        process.umask(before);
      }
      expect(statSync(join(home.path, "a", "state")).mode & 0o777).toBe(0o700);
      expect(statSync(join(home.path, "a")).mode & 0o777).toBe(0o700);
    }
  });

  test("that does not exist is no daemon, and is not created by looking", async () => {
    using home = tempHome();
    expect(await checkStateDir(home.state)).toBe(false);
    expect(() => statSync(home.state)).toThrow();
  });

  test.each([0o755, 0o710, 0o701, 0o770])("of mode %o is refused with the command that mends it (D5)", async (mode) => {
    using home = tempHome();
    mkdirSync(home.state);
    chmodSync(home.state, mode);
    const refusal = await refusalOf(home.state);
    expect(refusal.code).toBe("STATE_DIR_UNSAFE");
    expect(refusal.message).toContain(`chmod 700 '${home.state}'`);
    expect(statSync(home.state).mode & 0o777).toBe(mode);
  });

  test("that is a symbolic link is refused, even one to a safe directory (D5, S4)", async () => {
    using home = tempHome();
    mkdirSync(join(home.path, "real"), { mode: 0o700 });
    symlinkSync(join(home.path, "real"), home.state);
    expect((await refusalOf(home.state)).message).toMatch(/symbolic link/);
  });

  test("that is a file is refused", async () => {
    using home = tempHome();
    writeFileSync(home.state, "");
    expect((await refusalOf(home.state)).message).toMatch(/not a directory/);
  });

  test.runIf(process.getuid?.() === 0)("of another user is refused (D5)", async () => {
    using home = tempHome();
    mkdirSync(home.state, { mode: 0o700 });
    execFileSync("chown", ["65534", home.state]);
    expect((await refusalOf(home.state)).message).toMatch(/belongs to uid 65534/);
  });
});

async function refusalOf(path: string): Promise<ConnectionError> {
  const error = await openStateDir(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(ConnectionError.is(error)).toBe(true);
  return error as ConnectionError;
}
