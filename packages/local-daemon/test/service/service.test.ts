import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  installService,
  type RunCommand,
  type ServiceManager,
  serviceManager,
  serviceStatus,
  uninstallService,
} from "../../src/service/service-manager.js";
import { serviceProgram } from "../../src/service/service-program.js";

/** Words that a service manager would split or replace. */
const ODD = 'a "b" 100% $HOME & <c> \\d';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "daemon-sdk-service-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function managerOf(platform: NodeJS.Platform): ServiceManager {
  const manager = serviceManager(platform, { HOME: home });
  if (manager === undefined) throw new TypeError(platform);
  return manager;
}

function program(stateDir = join(home, ODD)) {
  return serviceProgram({ stateDir, port: 37_643, program: join(home, "bin.cjs"), nodeOptions: "--import=/x.mjs" });
}

const has = (command: string) => {
  try {
    execFileSync("which", [command], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

test.skipIf(!has("systemd-analyze"))(
  "systemd takes the unit, with odd paths in it (absent: no systemd-analyze)",
  async () => {
    writeFileSync(join(home, "bin.cjs"), "");
    const unit = join(home, "local-daemon.service");
    writeFileSync(unit, managerOf("linux").text(program()));
    const { stderr } = await promisify(execFile)("systemd-analyze", ["verify", "--man=no", unit]).catch(
      (error) => error,
    );
    expect(stderr).not.toContain("local-daemon.service");
  },
);

test("the unit masks what systemd would replace", () => {
  const text = managerOf("linux").text(program("/a %h/$x"));
  expect(text).toContain('Environment="DAEMON_SDK_HOME=/a %%h/$x"\n');
  expect(text).toMatch(/^ExecStart=\S+ \S+bin\.cjs start --foreground --port 37643$/m);
  const odd = serviceProgram({ stateDir: "/a", program: "/b/$x y/bin.cjs" });
  expect(managerOf("linux").text(odd)).toContain(' "/b/$$x y/bin.cjs" start --foreground\n');
});

test.skipIf(!has("python3"))("a reader of property lists reads the launch agent (absent: no python3)", async () => {
  const plist = join(home, "agent.plist");
  writeFileSync(plist, managerOf("darwin").text(program()));
  const script = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
  const { stdout } = await promisify(execFile)("python3", ["-c", script, plist]);
  expect(JSON.parse(stdout)).toMatchObject({
    ProgramArguments: [process.execPath, join(home, "bin.cjs"), "start", "--foreground", "--port", "37643"],
    EnvironmentVariables: { DAEMON_SDK_HOME: join(home, ODD), NODE_OPTIONS: "--import=/x.mjs" },
    KeepAlive: { SuccessfulExit: false },
  });
});

test("install writes the file and starts the service, status says so, uninstall removes both", async () => {
  const manager = managerOf("linux");
  const ran: string[] = [];
  const run: RunCommand = async (command, args) => {
    ran.push([command, ...args].join(" "));
    return "";
  };
  await installService(manager, program(), run);
  expect(readFileSync(manager.path, "utf8")).toContain("[Install]");
  expect(await serviceStatus(manager, run)).toEqual({ isInstalled: true, isRunning: true });
  expect(await uninstallService(manager, run)).toBe(true);
  expect(existsSync(manager.path)).toBe(false);
  expect(await uninstallService(manager, run)).toBe(false);
  expect(ran).toEqual([
    "systemctl --user daemon-reload",
    "systemctl --user enable --now local-daemon.service",
    "systemctl --user is-active local-daemon.service",
    "systemctl --user disable --now local-daemon.service",
  ]);
});

test("where the manager cannot be reached, the failure names the command to run, and the file stays", async () => {
  const manager = managerOf("linux");
  const run = () => Promise.reject(Object.assign(new Error("failed"), { stderr: "Failed to connect to bus" }));
  await expect(installService(manager, program(), run)).rejects.toMatchObject({
    code: "DAEMON_START_FAILED",
    message: expect.stringMatching(/systemctl --user daemon-reload.*Failed to connect to bus/),
  });
  expect(existsSync(manager.path)).toBe(true);
});
