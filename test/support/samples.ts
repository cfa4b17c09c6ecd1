import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT, workspacePackages } from "./packages.js";

/** A code sample of a README or of docs that claims to work. */
export interface Sample {
  /** Where it is: `README.md:41`. */
  readonly place: string;
  readonly code: string;
  /** `run` is type-checked and run against a real daemon; `types` is type-checked. */
  readonly kind: "run" | "types";
}

/** A mark in a comment of its own line, then a fence: `<!-- sample: run -->`. */
const MARKED = /<!-- sample: (run|types) -->\n+```ts\n([\s\S]*?)\n```/g;

/** Every marked sample of the READMEs and of docs. A `ts` fence without a mark is a sketch, and says nothing about the code. */
export function readSamples(): Sample[] {
  const owners = [ROOT, ...workspacePackages("packages").map(({ directory }) => directory)];
  const readmes = owners.map((directory) => join(directory, "README.md")).filter((path) => existsSync(path));
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  const paths = [...readmes, ...docs.map((name) => join(ROOT, "docs", name))];
  return paths.flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return [...text.matchAll(MARKED)].map((match): Sample => {
      const line = text.slice(0, match.index).split("\n").length;
      return {
        place: `${relative(ROOT, path)}:${line}`,
        kind: match[1] === "run" ? "run" : "types",
        code: match[2] ?? "",
      };
    });
  });
}
