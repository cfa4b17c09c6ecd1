import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A directory of files for one test, and on request a git repository in it. */
export class ScratchDirectory implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "working-directory-")));

  write(path: string, text: string): string {
    const full = join(this.path, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  /** Runs git in the directory, or below it, with a configuration of its own. */
  git(args: readonly string[], below = "."): string {
    const env = { PATH: process.env.PATH, HOME: this.path, GIT_CONFIG_NOSYSTEM: "1" };
    const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    return execFileSync("git", [...who, ...args], {
      cwd: join(this.path, below),
      env,
      encoding: "utf8",
      stdio: "pipe",
    });
  }

  /** A repository with one commit of `files` on `main`. */
  repository(files: Readonly<Record<string, string>>, below = "."): void {
    for (const [path, text] of Object.entries(files)) this.write(join(below, path), text);
    this.git(["init", "-q", "-b", "main"], below);
    this.commit("first", below);
  }

  commit(message: string, below = "."): void {
    this.git(["add", "-A"], below);
    this.git(["commit", "-q", "-m", message], below);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a call asks about a directory: everything may be shown, and time is ample. */
export function asked(cwd: string) {
  return { cwd, hidden: undefined, mayShow: async () => true, signal: new AbortController().signal };
}
