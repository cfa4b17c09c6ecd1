/**
 * `npm run docs`: the docs as a site, with the reference of the API, in `docs/.vitepress/dist`, which git ignores.
 *
 * Fails on a dead link: to a page, a heading of one, a name in a comment, or a file of the repository.
 * `npx vitepress dev docs` shows the docs while they are written.
 */
import { join } from "node:path";
import { ROOT, runQuietly, seconds } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

const SITE = join(ROOT, "docs", ".vitepress", "dist");

await ensureInstalled();
await runQuietly("Docs (VitePress)", "vitepress", ["build", "docs"]);

// Only there after the set-up.
const { writeApiReference } = await import("./docs/api-reference.mjs");
const { deadLinksOf } = await import("./docs/dead-links.mjs");
const started = performance.now();
process.stderr.write("API reference (TypeDoc) … ");
const faults = await writeApiReference(join(SITE, "api"));
process.stderr.write(`${seconds(performance.now() - started)}\n`);

for (const link of deadLinksOf(SITE)) faults.push(`Dead link: ${link}`);
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? `The site is in ${SITE}` : `The site has faults: ${faults.length}`);
process.exitCode = faults.length === 0 ? 0 : 1;
