import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { anchorsOf, linksOf, undefinedReferences } from "../support/markdown.js";
import { ROOT, workspacePackages } from "../support/packages.js";

const run = promisify(execFile);

describe.each(workspacePackages("packages"))("README of $folder", ({ directory, manifest }) => {
  const text = readFileSync(join(directory, "README.md"), "utf8");
  const links = linksOf(text);
  const repository = `${manifest.repository?.url.replace(/^git\+|\.git$/g, "")}/`;
  let packed: string[];
  beforeAll(async () => {
    packed = await packedFiles(directory);
  });

  test("links to files of its tarball, to its own headings, and by an address to the rest", () => {
    const dead = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      if (path === "") return !anchorsOf(text).includes(anchor ?? "");
      return !packed.includes(posix.normalize(path));
    });
    expect(dead).toEqual([]);
    expect(undefinedReferences(text)).toEqual([]);
  });

  test("addresses only files and headings of this repository that are there", () => {
    const dead = links.filter((link) => link.startsWith(repository) && !isInRepository(link.slice(repository.length)));
    expect(dead).toEqual([]);
  });

  test("goes into the tarball, with the licence and the notices of what is bundled", () => {
    const notices = readdirSync(directory).filter((name) => name === "THIRD-PARTY-NOTICES");
    expect(packed).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json", ...notices]));
    expect(packed.filter((file) => file.includes("metafile"))).toEqual([]);
  });
});

/** The files that npm would put into the package's tarball, with forward slashes. */
async function packedFiles(directory: string): Promise<string[]> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await run("npm", args, { cwd: directory, maxBuffer: 2 ** 26 });
  const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
  return pack?.files.map(({ path }) => path) ?? [];
}

/** Whether `blob/main/docs/errors.md#codes` names a file of this repository, and one of its headings. */
function isInRepository(address: string): boolean {
  const [path = "", anchor] = address.replace(/^(blob|tree)\/main\//, "").split("#");
  const file = join(ROOT, path);
  return existsSync(file) && (anchor === undefined || anchorsOf(readFileSync(file, "utf8")).includes(anchor));
}
