/**
 * `npm run test:bundlers [-- name …]`: an application that starts the local daemon, made by each bundler and run by each host.
 *
 * Packs the packages, installs them and the bundlers (at the versions written here) from the registry into folders outside the
 * workspace, bundles test/bundlers/app.mjs, runs it against a state directory of its own, and stops the daemon that it started.
 * Prints a row each, and what was not run and why. Ends with `N passed, N failed`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { capture, ROOT, seconds } from "./run.mjs";

const PACKAGES = ["protocol", "transport-ws", "client", "console", "local-daemon"];
const NPM = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
const APP = join(ROOT, "test", "bundlers", "app.mjs");
const MAIN = 'import { main } from "./app.mjs";\nmain().then(console.log);\n';
const WELL = "bundle: all well";

/** Each: what it installs, and how it makes and runs the application in its folder; resolves with `{ code, output }`. */
const HOSTS = [
  { name: "esbuild, ESM", needs: ["esbuild@0.28.2"], run: (host) => esbuild(host, "esm") },
  { name: "esbuild, CommonJS", needs: ["esbuild@0.28.2"], run: (host) => esbuild(host, "cjs") },
  { name: "webpack", needs: ["webpack@5.113.0"], run: webpack },
  {
    name: "Rollup",
    needs: [
      "rollup@4.68.8",
      "@rollup/plugin-node-resolve@16.0.3",
      "@rollup/plugin-commonjs@29.0.3",
      "@rollup/plugin-json@6.1.0",
    ],
    run: rollup,
  },
  { name: "bun --compile", needs: ["@oven/bun-linux-x64-baseline@1.4.5"], run: bunCompile },
  { name: "Jest, CommonJS", needs: ["jest@30.5.2"], run: jest },
  { name: "Next.js, server", needs: ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1"], run: next },
  { name: "Electron, asar", why: "its package fetches the program from elsewhere than the registry" },
];

await build();
const scratch = mkdtempSync(join(tmpdir(), "bundlers-"));
const counts = { passed: 0, failed: 0 };
try {
  const tarballs = await pack();
  const wanted = process.argv.slice(2);
  for (const host of HOSTS) {
    const isWanted = wanted.length === 0 || wanted.some((word) => host.name.toLowerCase().includes(word.toLowerCase()));
    if (isWanted) await report(host, tarballs);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function pack() {
  const made = [];
  for (const name of PACKAGES) {
    const cwd = join(ROOT, "packages", name);
    const { code, output } = await capture("pnpm", ["pack", "--pack-destination", scratch, "--json"], { cwd });
    if (code !== 0) throw new TypeError(`Packing ${name} failed: ${output}`);
    made.push(JSON.parse(output.slice(output.indexOf("{"))).filename);
  }
  return made;
}

async function report(host, tarballs) {
  const started = performance.now();
  const { folder, why } = host.why === undefined ? await install(host, tarballs) : host;
  if (folder === undefined) {
    console.log(`not run  ${host.name}: ${why}`);
    return;
  }
  const env = { DAEMON_SDK_HOME: join(folder, "state") };
  const { code, output } = await host.run({ folder, env });
  const { output: stop } = await capture(join(folder, "node_modules", ".bin", "local-daemon"), ["stop"], { env });
  const isWell = code === 0 && output.includes(WELL) && stop.includes("Stopped");
  counts[isWell ? "passed" : "failed"] += 1;
  console.log(`${isWell ? "ok      " : "FAIL    "} ${host.name}, ${seconds(performance.now() - started)}`);
  if (!isWell) console.log(`\n${output}\n${stop}\n`);
}

/** A folder with the packed packages, the bundler and the application; or the reason why there is none. */
async function install({ name, needs }, tarballs) {
  const folder = join(scratch, name.replaceAll(/\W+/g, "-"));
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  const { code, output } = await capture("npm", ["install", ...NPM, ...tarballs, ...needs], { cwd: folder });
  if (code !== 0) return { why: output.trim().split("\n")[0] };
  cpSync(APP, join(folder, "app.mjs"));
  writeFileSync(join(folder, "main.mjs"), MAIN);
  return { folder };
}

/** Makes the bundle with the tool's own program, then runs it. */
async function bundled({ folder, env }, tool, args, program) {
  const made = await capture(join(folder, "node_modules", ".bin", tool), args, { cwd: folder });
  return made.code === 0 ? capture(process.execPath, [join(folder, program)], { cwd: folder, env }) : made;
}

function esbuild(host, format) {
  const program = format === "esm" ? "out/main.mjs" : "out/main.cjs";
  const args = ["main.mjs", "--bundle", "--platform=node", `--format=${format}`, `--outfile=${program}`];
  // As for every CommonJS dependency that requires Node's own modules, here `ws`.
  const require = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  if (format === "esm") args.push(`--banner:js=${require}`);
  return bundled(host, "esbuild", args, program);
}

/** Through its own interface: its command line is a package of its own. */
async function webpack(host) {
  const script = `
    const webpack = require("webpack");
    const output = { path: __dirname + "/out", filename: "main.cjs" };
    webpack({ mode: "production", target: "node20", entry: "./main.mjs", output, context: __dirname }, (error, stats) => {
      console.log(error ?? stats.toString());
      process.exitCode = error || stats.hasErrors() ? 1 : 0;
    });`;
  writeFileSync(join(host.folder, "make.cjs"), script);
  const made = await capture(process.execPath, ["make.cjs"], { cwd: host.folder });
  return made.code === 0 ? capture(process.execPath, ["out/main.cjs"], { cwd: host.folder, env: host.env }) : made;
}

function rollup(host) {
  const plugins = [
    "-p",
    "node-resolve={preferBuiltins:true,exportConditions:['node']}",
    "-p",
    "commonjs",
    "-p",
    "json",
  ];
  return bundled(host, "rollup", ["main.mjs", "-f", "es", "-d", "out", ...plugins], "out/main.js");
}

async function bunCompile({ folder, env }) {
  const bun = join(folder, "node_modules", "@oven", "bun-linux-x64-baseline", "bin", "bun");
  const made = await capture(bun, ["build", "--compile", "main.mjs", "--outfile", "out/main"], { cwd: folder });
  return made.code === 0 ? capture(join(folder, "out", "main"), [], { cwd: folder, env }) : made;
}

async function jest({ folder, env }) {
  const text = readFileSync(APP, "utf8").replace(/^import (.*) from (.*);$/gm, "const $1 = require($2);");
  const test = `${text.replace("export async", "async")}
test("a turn of the local daemon", async () => console.log(await main()));`;
  writeFileSync(join(folder, "app.test.js"), test);
  return capture(join(folder, "node_modules", ".bin", "jest"), ["--ci"], { cwd: folder, env });
}

async function next({ folder, env }) {
  const route = join(folder, "app", "turn");
  mkdirSync(route, { recursive: true });
  const layout = "export default function Layout({ children }) { return <html><body>{children}</body></html>; }";
  writeFileSync(join(folder, "app", "layout.jsx"), layout);
  const handler = `import { main } from "../../app.mjs";
export const dynamic = "force-dynamic";
export async function GET() { return new Response(await main()); }`;
  writeFileSync(join(route, "route.js"), handler);
  const program = join(folder, "node_modules", ".bin", "next");
  const made = await capture(program, ["build"], { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: "1" } });
  if (made.code !== 0) return made;
  const script = `
    const next = require("next");
    const server = next({ dev: false, dir: __dirname });
    server.prepare().then(async () => {
      const http = require("node:http").createServer(server.getRequestHandler());
      await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
      const answer = await fetch("http://127.0.0.1:" + http.address().port + "/turn");
      console.log(await answer.text());
      process.exit(answer.ok ? 0 : 1);
    });`;
  writeFileSync(join(folder, "serve.cjs"), script);
  return capture(process.execPath, ["serve.cjs"], { cwd: folder, env: { ...env, NODE_ENV: "production" } });
}
