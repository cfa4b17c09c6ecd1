/**
 * `npm run release:dry`: a release from versions to use, without publishing anything.
 *
 * In a copy of the work tree it applies the changesets, builds, and publishes every package to a registry of its own on
 * 127.0.0.1. Then it installs each package from there into an empty folder, loads its entries, and does the main job with
 * a daemon of its own. Dependencies come from the registry that npm is configured for. Ends with `N passed, N failed`.
 */
import { fork } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killIn, leftIn } from "./release/processes.mjs";
import { copyWorkTree } from "./release/work-tree.mjs";
import { capture, ROOT, seconds } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

const SCOPE = "@daemon-sdk";
const PATIENCE_MS = 300_000;
/** What a daemon may take to end after `local-daemon stop` has returned, on a busy machine. */
const GRACE_MS = 10_000;
const REGISTRY_START_MS = 60_000;
const PROGRAMS = join(ROOT, "scripts", "release");

const counts = { passed: 0, failed: 0 };
process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed`));
await ensureInstalled();

const directory = realpathSync(mkdtempSync(join(tmpdir(), "release-dry-")));
const copy = join(directory, "copy");
const stateDir = join(directory, "state");
const folders = ["copy", "registry", "state", "cache", "installed"].map((name) => join(directory, name));
let registry;
// The step under way fails, so do those that would follow, and what was started and written is removed below.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());
try {
  for (const folder of folders) mkdirSync(folder, { mode: 0o700 });
  await rehearse();
} finally {
  await registry?.close();
  killIn(directory);
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = counts.failed === 0 ? 0 : 1;

async function rehearse() {
  const packages = await step("Copy the work tree and apply the changesets", applyChangesets);
  if (packages === undefined) return;
  if (!(await step("Build", () => succeed(process.execPath, ["scripts/build.mjs"], { cwd: copy })))) return;
  registry = await step("Start a registry", startRegistry);
  if (registry === undefined) return;
  if (!(await step(`Publish ${packages.length} packages`, () => publish(packages)))) return;
  for (const { name } of packages) {
    await step(`Install ${name} alone, load its entries`, () => loadEntries([name]));
  }
  const folder = await step("Install client and local-daemon, load their entries", () =>
    loadEntries([`${SCOPE}/client`, `${SCOPE}/local-daemon`]),
  );
  if (folder === undefined) return;
  for (const format of ["import", "require"]) {
    await step(`Start a daemon, run a prompt, stop it (${format})`, () => mainJob(folder, format));
  }
}

/** Runs one step and counts it. Resolves to its result, `undefined` when it failed; it says what it did by `notes`. */
async function step(title, work) {
  const started = performance.now();
  try {
    if (stop.signal.aborted) throw new Error("Stopped by a signal.");
    const { result = true, notes = [] } = await work();
    counts.passed += 1;
    console.log(`ok   ${title}, ${seconds(performance.now() - started)}`);
    for (const note of notes) console.log(`       ${note}`);
    return result;
  } catch (error) {
    counts.failed += 1;
    console.log(`FAIL ${title}, ${seconds(performance.now() - started)}\n\n${error.message}\n`);
    return undefined;
  }
}

/** Runs a program; throws what it printed unless it ends with 0. */
async function succeed(command, args, options) {
  const { code, output } = await capture(command, args, { timeoutMs: PATIENCE_MS, signal: stop.signal, ...options });
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${code}:\n${output}`);
  return { output };
}

/** The packages with their new versions. */
async function applyChangesets() {
  copyWorkTree(copy);
  const before = new Map(publicPackages().map(({ name, version }) => [name, version]));
  await succeed(process.execPath, ["scripts/setup.mjs"], { cwd: copy });
  await succeed(join(copy, "node_modules", ".bin", "changeset"), ["version"], { cwd: copy });
  const packages = publicPackages();
  for (const { name, version, changelog } of packages) {
    if (before.get(name) === "0.0.0" && version !== "0.1.0")
      throw new Error(`The first version of ${name} is ${version}, not 0.1.0.`);
    if (!changelog.includes(`\n## ${version}\n`))
      throw new Error(`The changelog of ${name} says nothing of ${version}.`);
  }
  return { result: packages, notes: packages.map(({ name, version }) => `${name} ${before.get(name)} → ${version}`) };
}

function publicPackages() {
  return readdirSync(join(copy, "packages")).map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(copy, "packages", folder, "package.json"), "utf8"));
    const changelog = read(join(copy, "packages", folder, "CHANGELOG.md"));
    return { name, version, changelog };
  });
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function startRegistry() {
  const program = join(PROGRAMS, "registry.mjs");
  const child = fork(program, [join(directory, "registry")], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const patience = setTimeout(() => child.kill(), REGISTRY_START_MS);
  const port = await new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message.port));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The registry ended with ${code}:\n${said}`)));
  });
  clearTimeout(patience);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const close = () => {
    child.kill();
    return exited;
  };
  return { result: { url: `http://127.0.0.1:${port}/`, close } };
}

/** Publishes as a real release does, with a configuration that knows the registry of its own and no credential. */
async function publish(packages) {
  const userconfig = join(directory, "npmrc");
  const host = registry.url.slice("http:".length);
  writeFileSync(userconfig, `registry=${registry.url}\n${SCOPE}:registry=${registry.url}\n${host}:_authToken=none\n`);
  const env = {
    npm_config_userconfig: userconfig,
    npm_config_registry: registry.url,
    [`npm_config_${SCOPE}:registry`]: registry.url,
    npm_config_cache: join(directory, "cache"),
  };
  const { output } = await succeed(join(copy, "node_modules", ".bin", "changeset"), ["publish", "--no-git-tag"], {
    cwd: copy,
    env,
  });
  const missing = packages.filter(({ name, version }) => !output.includes(`${name}@${version}`));
  if (missing.length > 0) throw new Error(`Not published: ${missing.map(({ name }) => name).join(", ")}\n${output}`);
  return {};
}

/** Installs packages into a new folder, as a user does, and loads their entries. Resolves to the folder. */
async function loadEntries(names) {
  const folder = mkdtempSync(join(directory, "installed", "user-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  writeFileSync(join(folder, ".npmrc"), `${SCOPE}:registry=${registry.url}\n`);
  for (const program of ["load-entries.mjs", "main-job.mjs"]) cpSync(join(PROGRAMS, program), join(folder, program));
  const env = { npm_config_cache: join(directory, "cache") };
  await succeed("npm", ["install", "--no-audit", "--no-fund", ...names], { cwd: folder, env });
  const notes = [];
  for (const name of names) {
    const { output } = await succeed(process.execPath, ["load-entries.mjs", name], { cwd: folder });
    notes.push(...output.trim().split("\n"));
  }
  return { result: folder, notes };
}

async function mainJob(folder, format) {
  const env = { DAEMON_SDK_HOME: stateDir };
  const { output } = await succeed(process.execPath, ["main-job.mjs", format], { cwd: folder, env });
  const program = join(folder, "node_modules", ".bin", "local-daemon");
  await succeed(program, ["stop"], { cwd: folder, env });
  const left = await leftIn(folder, GRACE_MS);
  if (left.length > 0) throw new Error(`Processes are left:\n${left.join("\n")}`);
  return { notes: [output.trim()] };
}
