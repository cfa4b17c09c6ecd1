/** Links of a built site that lead nowhere: to a page, a heading of one, or a source in the repository. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ROOT } from "../run.mjs";

const SOURCES = "https://github.com/daemon-sdk/daemon-sdk/blob/main/";
const ATTRIBUTE = /\s(?:href|src)="([^"]*)"/g;
const NAME = /\s(?:id|name)="([^"]*)"/g;

/** What is dead in the site at `directory`, as `page → link`, each once. */
export function deadLinksOf(directory) {
  const pages = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));
  const names = new Map();
  const dead = new Set();
  for (const page of pages) {
    const html = readFileSync(join(directory, page), "utf8");
    for (const [, encoded] of html.matchAll(ATTRIBUTE)) {
      const link = encoded.replaceAll("&amp;", "&");
      if (!isAlive(link, join(directory, page), directory, names)) dead.add(`${page} → ${link}`);
    }
  }
  return [...dead];
}

function isAlive(link, page, directory, names) {
  if (link.startsWith(SOURCES)) return existsSync(join(ROOT, decodeURI(link.slice(SOURCES.length)).split(/[#?]/)[0]));
  if (/^([a-z]+:|\/\/)/i.test(link)) return true;
  const [path, anchor] = link.split("#").map(decodeURIComponent);
  const target =
    path === "" ? page : fileOf(path.startsWith("/") ? join(directory, path) : resolve(dirname(page), path));
  if (target === undefined) return false;
  if (!anchor || !target.endsWith(".html")) return true;
  if (!names.has(target)) names.set(target, namesIn(target));
  return names.get(target).has(anchor);
}

/** The file that a server sends for a path. */
function fileOf(path) {
  const candidates = [path, `${path}.html`, join(path, "index.html")];
  return candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
}

function namesIn(page) {
  return new Set([...readFileSync(page, "utf8").matchAll(NAME)].map(([, name]) => name.replaceAll("&amp;", "&")));
}
