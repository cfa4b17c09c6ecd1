import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { DAEMON_PROGRAM } from "../../support/daemon-process.js";
import type { FaultScenario } from "../scenario.js";
import { ended } from "../support/daemon-home.js";
import { startForeground } from "../support/foreground-daemon.js";

const NOBODY = 65_534;

/** D5, S4: places for a daemon's state that others can reach, or have prepared. */
export const unsafePlaceScenarios: readonly FaultScenario[] = [
  {
    id: "D5",
    title: "a state directory that is not safe is refused, with what mends it in the message",
    isQuick: true,
    async run() {
      const cases = unsafePlaces();
      for (const { name, prepare, says, env } of cases) refuseStart(name, prepare, says, env);
      await longPath();
      return `${cases.length} places refused with the fix, a path of 160 bytes served under a short name${rootNote()}`;
    },
  },
  {
    id: "S4",
    title: "links in place of the state directory, the socket or the token are not followed",
    isQuick: true,
    async run() {
      refuseStart("a linked directory", linkedDirectory, /symbolic link/);
      await replaceLinks();
      if (isRoot()) refuseStart("a directory of another user", foreignDirectory, /belongs to uid 65534/);
      return `linked directory refused, linked token and socket replaced, their targets untouched${rootNote()}`;
    },
  },
];

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function rootNote(): string {
  return isRoot() ? "" : "; another user's directory not tried, for that takes root";
}

interface UnsafePlace {
  readonly name: string;
  readonly prepare: (state: string) => void;
  readonly says: RegExp;
  readonly env?: NodeJS.ProcessEnv;
}

function unsafePlaces(): readonly UnsafePlace[] {
  const nowhere = { PATH: process.env.PATH };
  return [
    { name: "0755", prepare: (state) => makeWithMode(state, 0o755), says: /chmod 700/ },
    { name: "0710", prepare: (state) => makeWithMode(state, 0o710), says: /chmod 700/ },
    { name: "a link", prepare: linkedDirectory, says: /symbolic link.*DAEMON_SDK_HOME/ },
    { name: "a file", prepare: (state) => writeFileSync(state, ""), says: /not a directory/ },
    { name: "no HOME", prepare: () => {}, says: /HOME is not set.*DAEMON_SDK_HOME/, env: nowhere },
    ...(isRoot()
      ? [{ name: "another's", prepare: foreignDirectory, says: /belongs to uid 65534.*DAEMON_SDK_HOME/ }]
      : []),
    ...(isRoot() ? [{ name: "ours, as another", prepare: ourDirectory, says: /belongs to uid 0/ }] : []),
  ];
}

function makeWithMode(state: string, mode: number): void {
  mkdirSync(state);
  chmodSync(state, mode);
}

function linkedDirectory(state: string): void {
  mkdirSync(`${state}-real`, { mode: 0o700 });
  symlinkSync(`${state}-real`, state);
}

function foreignDirectory(state: string): void {
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, NOBODY, NOBODY);
}

/** Ours, and the daemon is to run as somebody else: {@link refuseStart} sees that by its name. */
function ourDirectory(state: string): void {
  mkdirSync(state, { mode: 0o700 });
  // The way there has to be open for the other user to be refused by us, and not by the system.
  chmodSync(join(state, ".."), 0o755);
  chmodSync(tmpdir(), 0o755);
}

function refuseStart(name: string, prepare: (state: string) => void, says: RegExp, env?: NodeJS.ProcessEnv): void {
  const directory = mkdtempSync(join(tmpdir(), "unsafe-"));
  const state = join(directory, "state");
  prepare(state);
  const asOther = prepare === ourDirectory ? ["setpriv", "--reuid", String(NOBODY), "--clear-groups"] : [];
  const [program = "", ...args] = [...asOther, process.execPath, DAEMON_PROGRAM, "start", "--foreground"];
  const { status, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: env ?? { ...process.env, DAEMON_SDK_HOME: state },
    timeout: 30_000,
  });
  assert.ok(status !== 0 && status !== null, `${name}: the start fails`);
  assert.match(stderr.replaceAll("\n", " "), says, name);
  assert.ok(!existsSync(join(state, "token")), `${name}: nothing is written there`);
  rmSync(directory, { recursive: true, force: true });
}

/** A directory whose path is too long for a socket: served under a short name, or refused; never cut in silence. */
async function longPath(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "long-"));
  const state = join(directory, "d".repeat(160 - directory.length));
  process.env.DAEMON_SDK_HOME = state;
  await using connection = await connectDaemon();
  const { socket, pid } = JSON.parse(readFileSync(join(state, "endpoint.json"), "utf8"));
  assert.ok(Buffer.byteLength(socket) <= 103 && lstatSync(socket).isSocket());
  assert.deepEqual(await connection.listOpenedSessions(), []);
  await connection.close();
  await ended(pid, "SIGTERM");
  assert.ok(!existsSync(socket), "the socket goes with its daemon");
  rmSync(directory, { recursive: true, force: true });
}

async function replaceLinks(): Promise<void> {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  for (const name of ["token", "daemon.sock", "endpoint.json"]) writeFileSync(join(outside, name), "untouched");
  let isPrepared = false;
  await using daemon = await startForeground({
    config: {},
    whileStarting: (state) => {
      if (isPrepared) return;
      isPrepared = true;
      for (const name of ["token", "daemon.sock"]) symlinkSync(join(outside, name), join(state, name));
    },
  });
  for (const name of ["token", "daemon.sock"]) {
    assert.equal(readFileSync(join(outside, name), "utf8"), "untouched", name);
    assert.ok(!lstatSync(join(daemon.stateDir, name)).isSymbolicLink(), `${name} is no link any more`);
  }
  rmSync(outside, { recursive: true, force: true });
}
