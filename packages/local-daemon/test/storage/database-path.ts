import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Where a database of this test may lie; its directory goes with the test. */
export function databasePath(): string {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "sessions.db");
}
