import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { findDaemonProgram, nodeProgram } from "../../../src/rendezvous/launch/daemon-program.js";
import { tempDir } from "../../agents/agent-harness.js";

function made(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  return path;
}

const INSTALLED = ["node_modules", "@daemon-sdk", "local-daemon", "dist", "daemon.cjs"];

describe("the daemon's program", () => {
  test("is the named one, absolute or from the working directory", async () => {
    await using home = await tempDir();
    const program = made(home.path, "programs", "daemon.cjs");
    expect(findDaemonProgram({ named: program })).toBe(program);
    expect(findDaemonProgram({ named: "programs/daemon.cjs", cwd: home.path })).toBe(program);
    expect(() => findDaemonProgram({ named: "missing.cjs", cwd: home.path })).toThrow(
      expect.objectContaining({ code: "DAEMON_START_FAILED", message: expect.stringContaining(home.path) }),
    );
  });

  test("is the one beside the module before an installed one", async () => {
    await using home = await tempDir();
    const installed = made(home.path, ...INSTALLED);
    const moduleUrl = pathToFileURL(join(home.path, "out", "main.js")).href;
    expect(findDaemonProgram({ moduleUrl, cwd: "/" })).toBe(installed);
    const beside = made(home.path, "out", "daemon.cjs");
    expect(findDaemonProgram({ moduleUrl, cwd: "/" })).toBe(beside);
  });

  test("is found from the running script or the working directory where a bundle has no URL", async () => {
    await using home = await tempDir();
    const installed = made(home.path, ...INSTALLED);
    mkdirSync(join(home.path, "a", "b"), { recursive: true });
    expect(findDaemonProgram({ script: join(home.path, "a", "b", "main.cjs"), cwd: "/" })).toBe(installed);
    expect(findDaemonProgram({ cwd: join(home.path, "a", "b") })).toBe(installed);
    // As in a program that bun compiled: its modules are in a file system of its own.
    expect(findDaemonProgram({ moduleUrl: "file:///$bunfs/root/main", cwd: home.path })).toBe(installed);
    expect(() => findDaemonProgram({ cwd: dirname(home.path) })).toThrow(/is missing/);
  });

  test("of an Electron archive is the one that was unpacked beside it", async () => {
    await using home = await tempDir();
    made(home.path, "app.asar", ...INSTALLED);
    const unpacked = made(home.path, "app.asar.unpacked", ...INSTALLED);
    expect(findDaemonProgram({ cwd: join(home.path, "app.asar") })).toBe(unpacked);
  });
});

describe("the Node that runs the daemon", () => {
  test("is this process's own, else the first of the PATH", async () => {
    await using home = await tempDir();
    expect(nodeProgram()).toBe(process.execPath);
    const node = made(home.path, "bin", process.platform === "win32" ? "node.exe" : "node");
    chmodSync(node, 0o755);
    expect(nodeProgram(null, `relative:${join(home.path, "none")}:${dirname(node)}`)).toBe(node);
    expect(() => nodeProgram(null, "")).toThrow(/no `node` is in the PATH/);
  });
});
