/**
 * `npm run notices:update`: records which software our packages bundle, and under which licences.
 *
 * `NOTICE` lists it; `THIRD-PARTY-NOTICES` of a package holds the licences' texts and goes into its tarball. With `--check`,
 * a part of `npm run check`, nothing is written and a stale file is a failure. What is bundled is read from the build.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "./build.mjs";
import { ROOT } from "./run.mjs";

const RULE = "-".repeat(80);
const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

const isCheck = process.argv.includes("--check");
await build();
const owners = readdirSync(join(ROOT, "packages")).map((folder) => {
  const directory = join(ROOT, "packages", folder);
  return { folder, directory, bundled: bundledIn(directory) };
});

const stale = [];
for (const { folder, directory, bundled } of owners) {
  put(join(directory, "THIRD-PARTY-NOTICES"), bundled.length === 0 ? undefined : noticesOf(folder, bundled));
}
put(join(ROOT, "NOTICE"), summaryOf(owners.filter(({ bundled }) => bundled.length > 0)));
if (stale.length > 0) {
  console.error(`Not what the build bundles: ${stale.join(", ")}. Run \`npm run notices:update\` and commit it.`);
  process.exitCode = 1;
}

/** Writes a file, or removes it when it would be empty. With `--check` only reports the change. */
function put(path, text) {
  const current = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (current === text) return;
  if (isCheck) stale.push(relative(ROOT, path));
  else if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}

/** The packages of others that a package's built files hold, by name. */
function bundledIn(directory) {
  const dist = join(directory, "dist");
  const built = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const inputs = built.flatMap((file) => {
    if (file.startsWith("metafile-")) return inputsOfPrograms(directory, join(dist, file));
    return file.endsWith(".map") ? inputsOfLibrary(join(dist, file)) : [];
  });
  const roots = new Set(inputs.map(packageRoot).filter((root) => root !== undefined));
  return [...roots].map(readPackage).sort((one, other) => (one.title < other.title ? -1 : 1));
}

/** Programs have no source maps; their build says what is left inside after unused code was taken out. */
function inputsOfPrograms(directory, metafile) {
  const outputs = Object.values(JSON.parse(readFileSync(metafile, "utf8")).outputs);
  const inputs = outputs.flatMap((output) => Object.entries(output.inputs));
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => resolve(directory, path));
}

function inputsOfLibrary(map) {
  return JSON.parse(readFileSync(map, "utf8")).sources.map((source) => resolve(dirname(map), source));
}

/** The folder of the installed package that a file belongs to; `undefined` for files of our own. */
function packageRoot(path) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0];
}

function readPackage(root) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const texts = readdirSync(root)
    .filter((file) => LICENCE_FILE.test(file))
    .sort();
  if (typeof license !== "string" || texts.length === 0) {
    throw new Error(
      `${name} ${version} is bundled, and its package lacks ${license ? "a licence's text" : "a licence"}.`,
    );
  }
  const text = texts.map((file) => readFileSync(join(root, file), "utf8").replaceAll("\r", "").trim()).join("\n\n");
  return { title: `${name} ${version}`, license, text };
}

function noticesOf(folder, bundled) {
  const parts = bundled.map(({ title, license, text }) => `${RULE}\n${title} (${license})\n${RULE}\n\n${text}\n`);
  return `Files in dist of @daemon-sdk/${folder} hold software of others, under these licences.\n\n${parts.join("\n")}`;
}

function summaryOf(bundling) {
  const lists = bundling.map(({ folder, bundled }) => {
    const lines = bundled.map(({ title, license }) => `- ${title} (${license})`);
    return `packages/${folder}, texts in packages/${folder}/THIRD-PARTY-NOTICES:\n\n${lines.join("\n")}\n`;
  });
  return `daemon-sdk\n\nLicensed under the Apache License 2.0 (LICENSE). Built files of these packages hold software of others.\n\n${lists.join("\n")}`;
}
