import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./packages.js";

const run = promisify(execFile);

/** A project of a user, outside the workspace. */
export interface UserProject extends AsyncDisposable {
  readonly directory: string;
}

/**
 * Packs packages of ours and installs the tarballs as a user does, without the network: what they depend on is taken from this
 * workspace.
 *
 * @param packed folders of `packages`
 * @param outside names of packages of others, and the folder whose `node_modules` has them
 */
export async function installPackages(
  packed: readonly string[],
  outside: Readonly<Record<string, string>>,
): Promise<UserProject> {
  const directory = mkdtempSync(join(tmpdir(), "new-user-"));
  const pnpm = join(ROOT, "node_modules", ".bin", "pnpm");
  const pack = (name: string) =>
    run(pnpm, ["pack", "--pack-destination", directory], { cwd: join(ROOT, "packages", name) });
  await Promise.all(packed.map(pack));
  const tarballs = readdirSync(directory).map((file) => [`@daemon-sdk/${nameOf(file)}`, `file:./${file}`]);
  const linked = Object.entries(outside).map(([name, owner]) => {
    return [name, `file:${realpathSync(join(ROOT, owner, "node_modules", name))}`];
  });
  const dependencies = Object.fromEntries([...tarballs, ...linked]) as Record<string, string>;
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  const quiet = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"];
  await run("npm", ["install", ...quiet], { cwd: directory });
  return {
    directory,
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** `protocol` of `daemon-sdk-protocol-0.0.0.tgz`. */
function nameOf(tarball: string): string {
  return tarball.replace(/^daemon-sdk-/, "").replace(/-\d.*$/, "");
}
