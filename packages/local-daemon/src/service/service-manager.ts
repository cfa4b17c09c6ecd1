import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { DaemonError } from "@daemon-sdk/protocol";
import { LAUNCHD_LABEL, launchdPlist } from "./launchd-plist.js";
import type { ServiceProgram } from "./service-program.js";
import { systemdUnit } from "./systemd-unit.js";

/** Runs a command; rejects when it fails. */
export type RunCommand = (program: string, args: readonly string[]) => Promise<string>;

/** A service manager of the user's own services. */
export interface ServiceManager {
  readonly name: "systemd" | "launchd";
  /** Path of the file that describes the service. */
  readonly path: string;
  text(program: ServiceProgram): string;
  /** Commands that make it known and start it, and that stop it and forget it. */
  readonly start: readonly (readonly [program: string, ...args: string[]])[];
  readonly stop: readonly (readonly [program: string, ...args: string[]])[];
  readonly status: readonly [program: string, ...args: string[]];
}

const UNIT = "local-daemon.service";

/** The service manager of this system; undefined where we know none. */
export function serviceManager(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): ServiceManager | undefined {
  const { HOME: home = "/" } = env;
  if (platform === "linux") {
    const systemctl = (...args: string[]) => ["systemctl", "--user", ...args] as const;
    return {
      name: "systemd",
      path: join(env.XDG_CONFIG_HOME || join(home, ".config"), "systemd", "user", UNIT),
      text: systemdUnit,
      start: [systemctl("daemon-reload"), systemctl("enable", "--now", UNIT)],
      stop: [systemctl("disable", "--now", UNIT)],
      status: systemctl("is-active", UNIT),
    };
  }
  if (platform !== "darwin") return undefined;
  const path = join(home, "Library", "LaunchAgents", `${LAUNCHD_LABEL}.plist`);
  const domain = `gui/${process.getuid?.() ?? 0}`;
  return {
    name: "launchd",
    path,
    text: launchdPlist,
    start: [["launchctl", "bootstrap", domain, path]],
    stop: [["launchctl", "bootout", `${domain}/${LAUNCHD_LABEL}`]],
    status: ["launchctl", "print", `${domain}/${LAUNCHD_LABEL}`],
  };
}

/** Writes the file of the service, and starts the service. Rejects with `DAEMON_START_FAILED`; the file stays then. */
export async function installService(manager: ServiceManager, program: ServiceProgram, run: RunCommand): Promise<void> {
  await mkdir(dirname(manager.path), { recursive: true });
  await writeFile(manager.path, manager.text(program), { mode: 0o600 });
  for (const [command, ...args] of manager.start) {
    try {
      await run(command, args);
    } catch (cause) {
      const text = `${manager.path} is written, and "${[command, ...args].join(" ")}" failed: ${reasonOf(cause)}`;
      throw new DaemonError("DAEMON_START_FAILED", `${text} Run it in a session of this user.`, { cause });
    }
  }
}

/** Stops the service and removes its file. False when there was none. */
export async function uninstallService(manager: ServiceManager, run: RunCommand): Promise<boolean> {
  const isThere = await isInstalled(manager);
  // One that does not run cannot be stopped, which is what was wanted.
  for (const [command, ...args] of isThere ? manager.stop : []) await run(command, args).catch(() => {});
  await rm(manager.path, { force: true });
  return isThere;
}

/** Whether the file of the service is there, and what the service manager says of it. */
export async function serviceStatus(
  manager: ServiceManager,
  run: RunCommand,
): Promise<{ isInstalled: boolean; isRunning: boolean }> {
  const [command, ...args] = manager.status;
  const isRunning = await run(command, args).then(
    () => true,
    () => false,
  );
  return { isInstalled: await isInstalled(manager), isRunning };
}

/** Runs a command of the system. */
export const runCommand: RunCommand = async (program, args) => (await promisify(execFile)(program, [...args])).stdout;

async function isInstalled({ path }: ServiceManager): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

function reasonOf(error: unknown): string {
  const { stderr = "" } = Object(error) as { stderr?: string };
  return stderr.trim() || (error instanceof Error ? error.message : String(error));
}
