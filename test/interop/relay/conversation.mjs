/** What both parts need: things to wait for, throw-away directories, and checks that share their peers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WAIT_MS = 10_000;

/** Keeps what arrives, and lets a check wait for it. */
export class Arrivals {
  #items = [];
  #wake = () => {};

  push(item) {
    this.#items.push(item);
    this.#wake();
  }

  /** Takes the first item that matches, as soon as there is one. */
  async next(what, matches) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const index = this.#items.findIndex(matches);
      if (index >= 0) return this.#items.splice(index, 1)[0];
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`${what} did not come within ${WAIT_MS} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Items that match and are here now. */
  count(matches) {
    return this.#items.filter(matches).length;
  }
}

/** Repeats a question until its answer is true: for what no peer announces. */
export async function until(what, isTrue) {
  const deadline = Date.now() + WAIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A directory that is gone afterwards. */
export function throwAwayDirectory() {
  const path = mkdtempSync(join(tmpdir(), "interop-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
