import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exportAll, restoreAll } from "../../packages/local-daemon/src/backup/index.js";
import { storeContents } from "../../packages/local-daemon/test/backup/store-contents.js";
import { liveThrough } from "./year.js";

/** A sample of `npm run test:year`: fewer and shorter weeks. */
test("weeks of use end with disk, heap, and stored sessions at a level, and their backup loses nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-year-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const stateDir = join(directory, "state");
  const weeks = await liveThrough({
    ...{ stateDir, weeks: 6, sessionsPerWeek: 4, turnsPerSession: 25 },
    retention: { days: 7 },
  });
  const [, , third, , , last] = weeks;
  expect(weeks.map(({ storedSessions }) => storedSessions)).toEqual([4, 4, 4, 4, 4, 4]);
  expect(last?.diskBytes ?? 0).toBeLessThan(1.2 * (third?.diskBytes ?? 0));
  expect(last?.heapBytes ?? 0).toBeLessThan((third?.heapBytes ?? 0) + 4 * 2 ** 20);
  const backup = join(directory, "backup");
  const restored = join(directory, "restored");
  await exportAll({ stateDir, to: backup });
  await restoreAll({ from: backup, stateDir: restored });
  expect(storeContents(join(restored, "daemon.db"))).toEqual(storeContents(join(stateDir, "daemon.db")));
});
