import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DaemonError, silentLogger } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { bindUnix } from "../../src/listener/bind.js";
import { type Claim, claimStateDir } from "../../src/rendezvous/claim.js";
import { readEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { acquireInstanceLock } from "../../src/rendezvous/single-instance.js";
import { readToken } from "../../src/rendezvous/token.js";
import { tempHome } from "./temp-home.js";

const claim = (stateDir: string) => claimStateDir({ stateDir, logger: silentLogger });

/** A claim with its socket bound and published, as a daemon that serves has it. */
async function published(stateDir: string): Promise<{ claim: Claim; stop(): Promise<void> }> {
  const held = await claim(stateDir);
  const server = await bindUnix(createServer(), held.privateSocketPath);
  await held.publish({});
  const stop = async () => {
    server.close();
    await held.release();
  };
  return { claim: held, stop };
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (DaemonError.is(error) ? error.code : String(error)),
  );
}

describe("a claim", () => {
  test("is held by one at a time, and free again when released", async () => {
    using home = tempHome();
    const first = await claim(home.state);
    expect(await codeOf(claim(home.state))).toBe("DAEMON_ALREADY_RUNNING");
    await first.release();
    const second = await claim(home.state);
    expect(second.instanceId).not.toBe(first.instanceId);
    expect(second.token).not.toBe(first.token);
    expect([first.wasAbandoned, second.wasAbandoned]).toEqual([false, false]);
    await second.release();
  });

  test("publishes files of mode 0600 in a directory of mode 0700, under any umask (S6)", async () => {
    for (const umask of [0o000, 0o022, 0o077]) {
      using home = tempHome();
      const before = process.umask(umask);
      const { stop } = await published(home.state).finally(() => process.umask(before));
      const modes = Object.fromEntries(readdirSync(home.state).map((name) => [name, modeOf(join(home.state, name))]));
      expect(modes).toEqual({ "daemon.sock": "600", "endpoint.json": "600", "lock.db": "600", token: "600" });
      expect(modeOf(home.state)).toBe("700");
      await stop();
    }
  });

  test("tells where it is, and withdraws all of it when released", async () => {
    using home = tempHome();
    const { claim: held, stop } = await published(home.state);
    expect(await readEndpoint(home.state)).toMatchObject({
      socket: held.socketPath,
      pid: process.pid,
      instanceId: held.instanceId,
    });
    expect(await readToken(home.state)).toBe(held.token);
    await stop();
    expect(readdirSync(home.state)).toEqual(["lock.db"]);
  });

  test("removes nothing that is somebody else's by now", async () => {
    using home = tempHome();
    const { claim: held, stop } = await published(home.state);
    rmSync(held.socketPath);
    writeFileSync(held.socketPath, "a successor's");
    writeFileSync(join(home.state, "endpoint.json"), '{"a":"successor\'s"}', { mode: 0o600 });
    writeFileSync(join(home.state, "token"), "a successor's", { mode: 0o600 });
    await stop();
    expect(readFileSync(held.socketPath, "utf8")).toBe("a successor's");
    expect(readFileSync(join(home.state, "endpoint.json"), "utf8")).toContain("successor");
    expect(readFileSync(join(home.state, "token"), "utf8")).toBe("a successor's");
  });

  test("takes over what a dead daemon left: socket, endpoint, token, private names, temporary files (D2, D3)", async () => {
    using home = tempHome();
    mkdirSync(home.state, { mode: 0o700 });
    const dead = await bindUnix(createServer(), join(home.state, "leftover.sock"));
    // What SIGKILL leaves: names of a socket that nobody listens on.
    linkSync(join(home.state, "leftover.sock"), join(home.state, "daemon.0a1b2c3d.sock"));
    renameSync(join(home.state, "leftover.sock"), join(home.state, "daemon.sock"));
    dead.close();
    writeFileSync(join(home.state, "endpoint.json"), '{"socket":"/nowhere"', { mode: 0o600 });
    writeFileSync(join(home.state, "token.0a1b2c.tmp"), "half", { mode: 0o600 });
    const { claim: held, stop } = await published(home.state);
    expect(held.wasAbandoned).toBe(true);
    expect(readdirSync(home.state).sort()).toEqual(["daemon.sock", "endpoint.json", "lock.db", "token"]);
    expect((await readEndpoint(home.state))?.instanceId).toBe(held.instanceId);
    await stop();
  });

  test("replaces a token that is a symbolic link, and leaves its target alone (S4)", async () => {
    using home = tempHome();
    mkdirSync(home.state, { mode: 0o700 });
    writeFileSync(join(home.path, "target"), "untouched");
    symlinkSync(join(home.path, "target"), join(home.state, "token"));
    expect(await readToken(home.state)).toBeUndefined();
    const { stop } = await published(home.state);
    expect(readFileSync(join(home.path, "target"), "utf8")).toBe("untouched");
    expect(lstatSync(join(home.state, "token")).isFile()).toBe(true);
    await stop();
  });

  test("keeps its socket under a short name when the directory's path is too long for one (D5)", async () => {
    using home = tempHome();
    const deep = join(home.path, "d".repeat(120));
    const { claim: held, stop } = await published(deep);
    expect(Buffer.byteLength(held.privateSocketPath)).toBeLessThanOrEqual(103);
    expect(modeOf(join(held.socketPath, ".."))).toBe("700");
    expect((await readEndpoint(deep))?.socket).toBe(held.socketPath);
    await stop();
    expect(existsSync(held.socketPath)).toBe(false);
    rmSync(join(held.socketPath, ".."), { recursive: true });
  });
});

describe("the lock", () => {
  test("is gone with a process that was killed", async () => {
    using home = tempHome();
    const path = join(home.path, "lock.db");
    const program = `
      const { DatabaseSync } = require("@photostructure/sqlite");
      const database = new DatabaseSync(process.argv[1]);
      database.exec("BEGIN EXCLUSIVE");
      console.log("held");
      setInterval(() => database, 1000);`;
    const holder = spawn(process.execPath, ["-e", program, path], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    expect(await codeOf(acquireInstanceLock(path))).toBe("DAEMON_ALREADY_RUNNING");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    (await acquireInstanceLock(path)).release();
  });

  test("that is a symbolic link is not followed", async () => {
    using home = tempHome();
    symlinkSync(join(home.path, "elsewhere"), join(home.path, "lock.db"));
    expect(await codeOf(acquireInstanceLock(join(home.path, "lock.db")))).toBe("STORAGE_FAILED");
    expect(existsSync(join(home.path, "elsewhere"))).toBe(false);
  });
});

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}
