import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { collect } from "../../stress/check.js";
import type { FaultScenario } from "../scenario.js";
import { environmentOf } from "../support/daemon-home.js";
import { withoutProc } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { exchange } from "../support/raw-socket.js";

const KEY = "fk-a-configured-key-of-this-scenario";

/** S5, S6, S8: what others on this machine can see of a daemon. */
export const privateStateScenarios: readonly FaultScenario[] = [
  {
    id: "S5",
    title: "the token and the keys stand in no argument, environment, log, error or answer",
    isQuick: true,
    cannotRun: withoutProc,
    async run() {
      await using daemon = await startForeground({ config: { logLevel: "debug", apiKeys: [KEY] } });
      const texts = await everythingSaid(daemon);
      for (const [where, text] of texts) {
        assert.ok(!text.includes(daemon.token), `the token stands in ${where}`);
        assert.ok(!text.includes(KEY), `a key stands in ${where}`);
      }
      const count = texts.reduce((sum, [, text]) => sum + text.length, 0);
      return `0 in ${texts.length} texts of ${count} characters: arguments, environments, log, errors, /health`;
    },
  },
  {
    id: "S6",
    title: "directory 0700, socket, token and endpoint 0600 from birth, under any umask",
    isQuick: true,
    async run(context) {
      const masks = context.some(["000", "022", "077"], 1);
      let looks = 0;
      for (const umask of masks) looks += await modesUnder(umask);
      return `umask ${masks.join(", ")}: exact at the end, and in ${looks} looks while it started`;
    },
  },
  {
    id: "S8",
    title: "an agent's environment is the allow-list and our marks, and it inherits no descriptor",
    isQuick: true,
    cannotRun: withoutProc,
    run: childEnvironment,
  },
];

/** Everything that others could read while a client works, and what goes wrong for others. */
async function everythingSaid(daemon: ForegroundDaemon): Promise<(readonly [string, string])[]> {
  const texts: (readonly [string, string])[] = [];
  {
    await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
    await using session = await connection.createSession({
      cwd: daemon.workspace,
      permissionHandler: () => "proceed_once",
    });
    const events = await collect(session, "run env", { includePartialMessages: true });
    texts.push(["events", JSON.stringify(events)]);
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      // The runner holds the token itself.
      if (Number(pid) !== process.pid) texts.push([`/proc/${pid}/cmdline`, readQuietly(`/proc/${pid}/cmdline`)]);
      if (environmentOf(Number(pid)).includes(`\0DAEMON_SDK_SESSION=`))
        texts.push(["an agent's environment", environmentOf(Number(pid))]);
    }
  }
  await using withKey = await connectDaemon({ url: daemon.url, apiKey: KEY });
  await withKey.listOpenedSessions();
  for (const wrong of [`${daemon.token}x`, `${KEY}x`]) {
    const error: unknown = await connectDaemon({ url: daemon.url, token: wrong }).catch((reason: unknown) => reason);
    texts.push(["an error", error instanceof Error ? `${error.stack}${JSON.stringify(error)}` : ""]);
  }
  for (const path of ["/health", "/token", `/?token=x`]) {
    const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`;
    texts.push([path, (await exchange({ host: "127.0.0.1", port: daemon.port }, request)).heard]);
  }
  await withKey.close();
  const { stateDir } = daemon;
  await daemon.stop();
  texts.push(["what the daemon printed", daemon.said()]);
  for (const name of readdirSync(stateDir).filter((name) => /log|db/.test(name)))
    texts.push([name, readQuietly(join(stateDir, name))]);
  return texts;
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

async function modesUnder(umask: string): Promise<number> {
  let looks = 0;
  const look = (stateDir: string) => {
    looks += 1;
    const seen = modesIn(stateDir);
    for (const [name, mode] of seen) assert.equal(mode, name === "." ? "700" : "600", `${name} while it starts`);
  };
  await using daemon = await startForeground({ umask, whileStarting: look });
  const modes = Object.fromEntries(modesIn(daemon.stateDir));
  for (const name of ["daemon.sock", "token", "endpoint.json", "lock.db"]) assert.equal(modes[name], "600", name);
  assert.equal(modes["."], "700");
  return looks;
}

function modesIn(stateDir: string): [string, string][] {
  if (!existsSync(stateDir)) return [];
  return [".", ...readdirSync(stateDir)].flatMap((name): [string, string][] => {
    try {
      const found = lstatSync(join(stateDir, name));
      if (found.isDirectory() && name !== ".") return [];
      return [[name, (found.mode & 0o777).toString(8)]];
    } catch {
      // Gone between the two looks.
      return [];
    }
  });
}

const ALLOWED = new Set(["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TMPDIR", "LC_ALL"]);
const MARKS = new Set(["DAEMON_SDK_INSTANCE", "DAEMON_SDK_AGENT_STATE", "DAEMON_SDK_SESSION"]);

async function childEnvironment(): Promise<string> {
  const canary = "canary-that-no-agent-may-see";
  const names = ["GITHUB_TOKEN", "SSH_AUTH_SOCK", "AWS_SECRET_ACCESS_KEY", "FACTORY_API_KEY", "XDG_RUNTIME_DIR", "LCX"];
  const canaries = Object.fromEntries(names.map((name) => [name, canary]));
  const { PATH, HOME, TMPDIR } = process.env;
  const base = {
    PATH,
    HOME,
    TMPDIR,
    LANG: "C",
    LC_ALL: "C",
    USER: "me",
    LOGNAME: "me",
    SHELL: "/bin/sh",
    TERM: "xterm",
  };
  await using daemon = await startForeground({ env: { ...base, ...canaries, NODE_OPTIONS: "--no-warnings" } });
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const [pid] = readdirSync("/proc").filter((name) =>
    environmentOf(Number(name)).includes(`\0DAEMON_SDK_SESSION=${session.sessionId}\0`),
  );
  assert.ok(pid !== undefined, "the agent is found by its mark");
  const environment = environmentOf(Number(pid));
  const variables = environment.split("\0").filter((line) => line !== "");
  const found = variables.map((line) => line.split("=")[0] ?? "");
  assert.deepEqual(new Set(found), new Set([...ALLOWED, ...MARKS]));
  assert.ok(!environment.includes(canary));
  const inherited = inheritedSockets(Number(pid), daemon.pid);
  assert.deepEqual(inherited, [], "no descriptor of the daemon but stdio");
  return `${found.length} variables, exactly the allow-list and ${MARKS.size} marks; ${names.length} canaries absent; stdio only`;
}

/** Sockets and files that an agent has open beside stdio and that are open in its daemon, too. */
function inheritedSockets(agent: number, daemon: number): string[] {
  const linksOf = (pid: number, from: number) =>
    readdirSync(`/proc/${pid}/fd`)
      .filter((fd) => Number(fd) >= from)
      .flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
        } catch {
          return [];
        }
      });
  const shared = new Set(linksOf(daemon, 0).filter((link) => /^socket:|^pipe:|state/.test(link)));
  // Descriptors that the starter of this program left open are inherited by all processes.
  const ours = new Set(linksOf(process.pid, 0));
  return linksOf(agent, 3).filter((link) => shared.has(link) && !ours.has(link));
}
