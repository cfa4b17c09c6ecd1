import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { transportContract } from "@daemon-sdk/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackages, type UserProject } from "../support/installed-packages.js";
import { ROOT } from "../support/packages.js";

const run = promisify(execFile);
const PACKED = ["protocol", "client", "testing", "transport-ws", "console", "local-daemon"];
const OUTSIDE: Readonly<Record<string, string>> = {
  zod: "packages/protocol",
  ws: "packages/transport-ws",
  "@standard-schema/spec": "packages/client",
  "@photostructure/sqlite": "packages/local-daemon",
  unhomoglyph: "packages/local-daemon",
  "@types/node": ".",
};

/** As strict as TypeScript gets. With NodeNext the declarations of the libraries are checked, too. */
const STRICT = {
  target: "ES2022",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  types: ["node"],
};

let project: UserProject;
let directory: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  project = await installPackages(PACKED, OUTSIDE);
  directory = project.directory;
  const programs = join(ROOT, "test", "packages", "programs");
  mkdirSync(join(directory, "src"));
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(directory, "src", name));
  const stateDir = join(directory, "state");
  mkdirSync(stateDir, { mode: 0o700 });
  const python = ["python3", join(ROOT, "apps", "examples", "agents", "echo_agent.py")];
  const config = { agents: { python: { driver: "acp", command: python } } };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config), { mode: 0o600 });
  env = { ...process.env, DAEMON_SDK_HOME: stateDir };
  // Set where a test runs inside another one; with it node:test prints for its parent.
  delete env.NODE_TEST_CONTEXT;
  expect(await compile({ ...STRICT, module: "NodeNext", moduleResolution: "NodeNext", outDir: "dist" })).toBe("");
}, 120_000);

afterAll(async () => {
  await command(join("node_modules", "@daemon-sdk", "local-daemon", "dist", "bin.cjs"), "stop", "--now");
  await project[Symbol.asyncDispose]();
});

test("the programs compile under strict TypeScript as a bundler resolves, too", async () => {
  const options = { ...STRICT, module: "ESNext", moduleResolution: "Bundler", noEmit: true, skipLibCheck: true };
  expect(await compile(options)).toBe("");
});

test("a bot that is killed in the middle of a turn posts its answer once, when it is started again", async () => {
  const log = join(directory, "killed.log");
  const prompt = ["list", "count 20 every 50"].join("\n");
  await killedAfter("working", "bot", log, "m-1", prompt);
  await program("bot", log, "m-1", prompt);
  await program("bot", log, "m-1", prompt);
  expect(readFileSync(log, "utf8")).toMatch(/^m-1 completed [\s\S]*19 20 \n$/);
});

test("a bot that is killed while a question waits asks once; another process answers, and the answer is posted once", async () => {
  const log = join(directory, "asked.log");
  const prompt = "ask Which colour? red | blue";
  await killedAfter("asked", "bot", log, "m-2", prompt);
  await killedAfter("asked", "bot", log, "m-2", prompt);
  await program("click", "blue");
  await program("bot", log, "m-2", prompt);
  const lines = readFileSync(log, "utf8").trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/ Which colour\?$/);
  expect(lines[1]).toBe("m-2 completed You chose blue.");
});

test("two schedulers that are due at one time run the job once, and have the same receipt", async () => {
  const outputs = await Promise.all([program("scheduler", "02:00"), program("scheduler", "02:00")]);
  const receipts = outputs.map((output) => JSON.parse(output) as object);
  expect(receipts[0]).toMatchObject({ state: "completed" });
  expect(receipts[1]).toEqual(receipts[0]);
  expect(readFileSync(join(directory, "runs.txt"), "utf8")).toBe("ran\n");
});

test("a bot's unit test runs against the fake daemon", async () => {
  expect(await command("--test", "--test-reporter=tap", join("dist", "greeter.unit.js"))).toMatch(/^# pass 1$/m);
});

test("an agent in Python answers, asks for permission, and is interrupted", async () => {
  const lines = (await program("python-agent")).trim().split("\n");
  expect(lines).toEqual([
    "success: Hello from Python.",
    "success: Nothing was deleted: this is an example.",
    expect.stringMatching(/^interrupted:/),
  ]);
});

test("a transport over HTTP/2 keeps the contract, and carries a session", async () => {
  const lines = (await program("http2-transport")).trim().split("\n");
  expect(lines).toEqual([...transportContract.map(({ id }) => `kept ${id}`), "Over HTTP/2."]);
});

/** Compiles the programs. Resolves with the errors. */
async function compile(compilerOptions: object): Promise<string> {
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const compiling = run(process.execPath, [tsc], { cwd: directory });
  return (await compiling.catch((error: { stdout: string }) => error)).stdout;
}

/** Runs a program to its end. Resolves with what it printed. */
function program(name: string, ...args: string[]): Promise<string> {
  return command(join("dist", `${name}.js`), ...args);
}

async function command(...args: string[]): Promise<string> {
  return (await run(process.execPath, args, { cwd: directory, env })).stdout;
}

/** Starts a program, and kills it when it has printed that line. */
async function killedAfter(line: string, name: string, ...args: string[]): Promise<void> {
  const argv = [join("dist", `${name}.js`), ...args];
  const child = spawn(process.execPath, argv, { cwd: directory, env, stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit");
  expect(await printed(child, line)).toBe(true);
  child.kill("SIGKILL");
  await gone;
}

async function printed({ stdout }: ChildProcess, expected: string): Promise<boolean> {
  if (stdout !== null) for await (const line of createInterface(stdout)) if (line === expected) return true;
  return false;
}
