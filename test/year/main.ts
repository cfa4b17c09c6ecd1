import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { exportAll, restoreAll } from "../../packages/local-daemon/src/backup/index.js";
import { storeContents } from "../../packages/local-daemon/test/backup/store-contents.js";
import { plotOf, tableOf } from "./plot.js";
import { liveThrough, type WeekOfUse } from "./year.js";

/** `--until` ends a run early; the next one with the same `--dir` goes on behind it. `--write` changes docs/operations.md. */
const { values } = parseArgs({
  options: {
    dir: { type: "string", default: join(tmpdir(), `daemon-sdk-year-${process.pid}`) },
    weeks: { type: "string", default: "52" },
    until: { type: "string" },
    sessions: { type: "string", default: "200" },
    write: { type: "boolean", default: false },
  },
});

const [dir, weeks] = [values.dir, Number(values.weeks)];
const [stateDir, results] = [join(dir, "state"), join(dir, "weeks.jsonl")];

async function main(): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const done = existsSync(results) ? readWeeks() : [];
  await liveThrough({
    ...{ stateDir, firstWeek: done.length + 1, weeks: Number(values.until ?? weeks) },
    ...{
      programs: dirname(process.argv[1] ?? ""),
      sessionsPerWeek: Number(values.sessions),
      turnsPerSession: 50,
      retention: { days: 7 },
    },
    onWeek(week) {
      appendFileSync(results, `${JSON.stringify(week)}\n`);
      console.log(
        `week ${week.week}: ${tableOf([{ ...week, week: 1 }])
          .split("\n")
          .at(-1)}`,
      );
    },
  });
  const all = readWeeks();
  if (all.length < weeks) return;
  const isLossless = await backUpAndRestore();
  console.log(`backup and restore: ${isLossless ? "every row is there" : "ROWS DIFFER"}`);
  if (!isLossless) process.exitCode = 1;
  if (values.write) writeDown(all);
  rmSync(dir, { recursive: true, force: true });
}

function readWeeks(): WeekOfUse[] {
  return readFileSync(results, "utf8")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as WeekOfUse]));
}

async function backUpAndRestore(): Promise<boolean> {
  const [backup, restored] = [join(dir, "backup"), join(dir, "restored")];
  for (const left of [backup, restored]) rmSync(left, { recursive: true, force: true });
  await exportAll({ stateDir, to: backup });
  await restoreAll({ from: backup, stateDir: restored });
  const [before, after] = [stateDir, restored].map((place) => storeContents(join(place, "daemon.db")));
  return JSON.stringify(before) === JSON.stringify(after);
}

/** The picture, and the figures between the marks of the page. */
function writeDown(all: readonly WeekOfUse[]): void {
  mkdirSync(join("docs", "images"), { recursive: true });
  writeFileSync(join("docs", "images", "year-of-use.svg"), plotOf(all));
  const page = join("docs", "operations.md");
  const text = readFileSync(page, "utf8");
  const marked = /(<!-- year -->\n)[\s\S]*?(<!-- end of year -->)/;
  writeFileSync(
    page,
    text.replace(marked, (_all, begin, end) => `${begin}\n${tableOf(all)}\n\n${end}`),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
