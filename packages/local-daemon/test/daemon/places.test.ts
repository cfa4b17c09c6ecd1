import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tempHome } from "../rendezvous/temp-home.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));
const READY = "local-daemon";

/** A user's home with a runtime directory, as a log-in makes it, and the command line in it. */
function user() {
  const temp = tempHome();
  const paths = { home: join(temp.path, "home"), runtime: join(temp.path, "run"), work: join(temp.path, "work") };
  for (const path of Object.values(paths)) mkdirSync(path, { mode: 0o700 });
  const bare = { PATH: process.env.PATH, HOME: paths.home };
  const desktop = { ...bare, XDG_RUNTIME_DIR: paths.runtime };
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      execFile(process.execPath, [PROGRAM, ...args], { env, cwd: paths.work, timeout: 50_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: out + err }),
      );
    });
  return {
    ...paths,
    state: join(paths.home, ".local", "state", "daemon-sdk"),
    bare,
    desktop,
    run,
    async [Symbol.asyncDispose]() {
      for (const env of [bare, desktop]) await run(env, "stop", "--now");
      temp[Symbol.dispose]();
    },
  };
}

const statusOf = ({ text }: { text: string }) =>
  JSON.parse(text) as { running: boolean; pid: number; stateDir: string; socket: string };

describe("a user of a desktop", () => {
  test("has one daemon, found with XDG_RUNTIME_DIR and without, and its socket alone lies there", async () => {
    await using me = user();
    expect(await me.run(me.desktop, "start")).toMatchObject({ code: 0 });
    const seen = statusOf(await me.run(me.desktop, "status", "--json"));
    expect(statusOf(await me.run(me.bare, "status", "--json"))).toEqual(seen);
    expect(seen).toMatchObject({ stateDir: me.state, socket: join(me.runtime, "daemon-sdk", "daemon.sock") });
    expect(readdirSync(join(me.runtime, "daemon-sdk"))).toEqual(["daemon.sock"]);
  });

  test("keeps the sessions when a log-out empties the runtime directory", async () => {
    await using me = user();
    await me.run(me.desktop, "run", "say hello", "--cwd", me.work);
    await me.run(me.desktop, "stop", "--now");
    rmSync(join(me.runtime, "daemon-sdk"), { recursive: true });
    await me.run(me.desktop, "start");
    expect((await me.run(me.bare, "sessions")).text).toContain("say hello");
  });

  test("finds the sessions of an earlier version, whose state was in the runtime directory", async () => {
    await using me = user();
    await me.run(me.bare, "run", "say moved", "--cwd", me.work);
    await me.run(me.bare, "stop", "--now");
    const former = join(me.runtime, "daemon-sdk");
    renameSync(me.state, former);
    writeFileSync(join(former, "config.json"), '{"logLevel":"debug"}', { mode: 0o600 });
    await me.run(me.desktop, "start");
    expect((await me.run(me.desktop, "sessions")).text).toContain("say moved");
    expect(existsSync(join(me.state, "config.json"))).toBe(true);
    expect(readdirSync(former)).toEqual(["daemon.sock"]);
    expect(statSync(join(me.state, "daemon.db")).mode & 0o777).toBe(0o600);
  });

  test("is told of a daemon of an earlier version that still runs, and how to stop it", async () => {
    await using me = user();
    const former = join(me.runtime, "daemon-sdk");
    const earlier = { ...me.bare, DAEMON_SDK_HOME: former };
    await me.run(earlier, "run", "say old", "--cwd", me.work);
    const refused = await me.run(me.desktop, "start");
    expect(refused).toMatchObject({
      code: 1,
      text: expect.stringContaining(`DAEMON_SDK_HOME=${former} ${READY} stop`),
    });
    expect(await me.run(earlier, "stop", "--now")).toMatchObject({ code: 0 });
    await me.run(me.desktop, "start");
    expect((await me.run(me.desktop, "sessions")).text).toContain("say old");
  });
});

test.runIf(process.getuid?.() === 0)(
  "a uid without a home and without an entry in the user database runs a prompt",
  async () => {
    await using me = user();
    // The directory of a container's user; the program itself must be readable for it.
    for (const path of [join(me.home, ".."), me.work]) chmodSync(path, 0o755);
    const args = ["--reuid", "54321", "--regid", "54321", "--clear-groups", process.execPath, PROGRAM];
    const own = join(me.home, "..", "theirs");
    mkdirSync(own, { mode: 0o700 });
    const asUser = (...more: string[]) =>
      new Promise<{ code: number; text: string }>((resolve) => {
        const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: own };
        execFile("setpriv", [...args, ...more], { env, cwd: "/", timeout: 50_000 }, (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: out + err }),
        );
      });
    await new Promise((resolve) => execFile("chown", ["54321", own], resolve));
    expect(await asUser("run", "say from a container", "--cwd", me.work)).toMatchObject({ code: 0 });
    expect(await asUser("stop", "--now")).toMatchObject({ code: 0 });
  },
);

test.each([0o022, 0o002, 0o027])(
  "an agent makes files under the user's umask %o, and state stays private",
  async (umask) => {
    await using me = user();
    const command = `umask ${umask.toString(8)}; exec "${process.execPath}" "${PROGRAM}" run "write a.txt: x ; then run mkdir d" --yes --cwd "${me.work}"`;
    await new Promise((resolve) => execFile("sh", ["-c", command], { env: me.bare, timeout: 50_000 }, resolve));
    expect(statSync(join(me.work, "a.txt")).mode & 0o777).toBe(0o666 & ~umask);
    expect(statSync(join(me.work, "d")).mode & 0o777).toBe(0o777 & ~umask);
    for (const name of readdirSync(me.state)) expect(statSync(join(me.state, name)).mode & 0o077).toBe(0);
  },
);
