import { dirname, join, normalize } from "node:path/posix";
import { importSites, type SourceFile } from "./packages.js";

/** One import inside a package, between two entries (files or folders) of one directory. */
export interface Arrow {
  /** The directory that holds both entries, relative to `src`; empty for `src` itself. */
  readonly directory: string;
  readonly from: string;
  readonly to: string;
  /** Importing and imported file, relative to `src`. */
  readonly importer: string;
  readonly imported: string;
}

/**
 * Doors of a folder: the files through which it is imported from outside. `browser.ts` stands beside `index.ts` where pages get
 * another set.
 */
const DOORS = ["index.ts", "browser.ts"];

/** Every import inside a package, type imports included, as arrows between entries of the directory that both files share. */
export function arrowsOf(files: readonly SourceFile[]): Arrow[] {
  const paths = new Set(files.map(({ path }) => path));
  const sourceOf = (path: string) => (paths.has(`${path}x`) ? `${path}x` : path);
  return files.flatMap((file) =>
    importSites(file)
      .filter(({ specifier }) => specifier.startsWith(".") && !specifier.endsWith(".css"))
      .map(({ specifier }) => normalize(join(dirname(file.path), specifier)).replace(/\.js$/, ".ts"))
      .map((path) => arrow(file.path, sourceOf(path))),
  );
}

function arrow(importer: string, imported: string): Arrow {
  const [from, to] = [importer.split("/"), imported.split("/")];
  let shared = 0;
  while (shared < Math.min(from.length, to.length) - 1 && from[shared] === to[shared]) shared += 1;
  const directory = from.slice(0, shared).join("/");
  return { directory, from: from[shared] ?? "", to: to[shared] ?? "", importer, imported };
}

/** Imports that reach into a sibling folder past its door. */
export function pastDoors(arrows: readonly Arrow[]): string[] {
  return arrows
    .filter(({ directory, imported }) => {
      const inside = imported.split("/").slice(directory === "" ? 0 : directory.split("/").length);
      return inside.length > 1 && !(inside.length === 2 && DOORS.includes(inside[1] ?? ""));
    })
    .map(({ importer, imported }) => `${importer} imports ${imported}`);
}

/** Circles among the entries of one directory, each as the entries in it, sorted. Empty when imports run one way. */
export function circlesOf(arrows: readonly Arrow[]): string[] {
  return [...groupByDirectory(arrows)].flatMap(([directory, group]) => {
    const next = new Map<string, Set<string>>();
    for (const { from, to } of group) if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to));
    const isReachable = (start: string, goal: string) => reachedFrom(start, next).has(goal);
    const inCircle = [...next.keys()].filter((entry) => isReachable(entry, entry));
    const circles = new Set(
      inCircle.map((entry) =>
        inCircle
          .filter((o) => isReachable(entry, o) && isReachable(o, entry))
          .sort((a, b) => a.localeCompare(b))
          .join(" ⇄ "),
      ),
    );
    return [...circles].map((circle) => `${directory === "" ? "src" : directory}: ${circle}`);
  });
}

function groupByDirectory(arrows: readonly Arrow[]): Map<string, Arrow[]> {
  const groups = new Map<string, Arrow[]>();
  for (const each of arrows) groups.set(each.directory, [...(groups.get(each.directory) ?? []), each]);
  return groups;
}

function reachedFrom(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    if (reached.has(entry)) continue;
    reached.add(entry);
    open.push(...(next.get(entry) ?? []));
  }
  return reached;
}
