/**
 * `node load-entries.mjs PACKAGE`, copied into a folder with that package installed: loads each of its entries as ESM and as
 * CommonJS, and compares their names. An entry may lack an optional peer; it then has to name it.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [name] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const manifest = require(`${name}/package.json`);
const optional = Object.keys(manifest.peerDependenciesMeta ?? {});
const faults = [];

for (const [subpath, target] of Object.entries(manifest.exports)) {
  if (subpath.endsWith(".json")) continue;
  const entry = name + subpath.slice(1);
  const missing = filesOf(target).filter((file) => !existsSync(join("node_modules", name, file)));
  if (missing.length > 0) faults.push(`${entry} names files that are not there: ${missing.join(", ")}`);
  const [esm, cjs] = [await load(() => import(entry)), await load(() => require(entry))];
  if (esm.lacks ?? cjs.lacks) console.log(`${entry}: asks for ${esm.lacks ?? cjs.lacks}, as it should`);
  else if (String(esm.names) !== String(cjs.names)) faults.push(`${entry} exports other names as ESM than as CommonJS`);
  else if (esm.names.length === 0) faults.push(`${entry} exports nothing`);
  else console.log(`${entry}: ${esm.names.length} names`);
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

/** The names of a module, or the optional peer that it lacks. */
async function load(start) {
  try {
    const names = Object.keys(await start()).filter((key) => key !== "default" && key !== "module.exports");
    return { names: names.sort((one, other) => (one < other ? -1 : 1)) };
  } catch (error) {
    const lacks = optional.find((peer) => String(error?.message).includes(`'${peer}'`));
    if (lacks === undefined) throw error;
    return { lacks };
  }
}

function filesOf(target) {
  return typeof target === "string" ? [target] : Object.values(target).flatMap(filesOf);
}
