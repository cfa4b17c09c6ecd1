import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of the test's own, gone afterwards. `state` inside it does not exist yet. */
export interface TempHome extends Disposable {
  readonly path: string;
  readonly state: string;
}

export function tempHome(): TempHome {
  const path = mkdtempSync(join(tmpdir(), "door-"));
  chmodSync(path, 0o700);
  return {
    path,
    state: join(path, "state"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
