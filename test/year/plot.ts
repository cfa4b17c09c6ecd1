import type { WeekOfUse } from "./year.js";

/** One panel of the picture: a figure of each week. */
interface Panel {
  readonly title: string;
  readonly unit: string;
  of(week: WeekOfUse): number;
}

const MIB = 2 ** 20;
const PANELS: readonly Panel[] = [
  { title: "Disk", unit: "MiB", of: ({ diskBytes }) => diskBytes / MIB },
  { title: "Heap after a collection", unit: "MiB", of: ({ heapBytes }) => heapBytes / MIB },
  { title: "Start", unit: "ms", of: ({ startMs }) => startMs },
  { title: "List of 50 sessions", unit: "ms", of: ({ listMs }) => listMs },
];
const [WIDTH, HEIGHT, LEFT, TOP, GAP_X, GAP_Y] = [360, 130, 64, 44, 96, 84];

/** A picture of the weeks, as SVG: a panel for each figure, from 0 on. */
export function plotOf(weeks: readonly WeekOfUse[]): string {
  const [width, height] = [LEFT + 2 * WIDTH + GAP_X + 24, TOP + 2 * HEIGHT + GAP_Y + 44];
  const panels = PANELS.map((panel, at) => {
    const x = LEFT + (at % 2) * (WIDTH + GAP_X);
    const y = TOP + Math.floor(at / 2) * (HEIGHT + GAP_Y);
    return `<g transform="translate(${x} ${y})">${panelOf(panel, weeks)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`,
    `  aria-label="Disk, heap, start time and list time over ${weeks.length} weeks of use" font-family="sans-serif" font-size="12" fill="#555">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function panelOf({ title, unit, of }: Panel, weeks: readonly WeekOfUse[]): string {
  const values = weeks.map(of);
  const top = niceAbove(Math.max(...values));
  const x = (at: number) => round((WIDTH * at) / Math.max(1, weeks.length - 1));
  const y = (value: number) => round(HEIGHT - (HEIGHT * value) / top);
  const line = values.map((value, at) => `${x(at)},${y(value)}`).join(" ");
  const ticks = [0, top / 2, top].map(
    (value) =>
      `<line x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="-8" y="${y(value) + 4}" text-anchor="end">${round(value)}</text>`,
  );
  const last = weeks.at(-1)?.week ?? 0;
  return [
    `<text y="-14" fill="#111" font-weight="bold">${title} (${unit})</text>`,
    ...ticks,
    `<polyline points="${line}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    `<text y="${HEIGHT + 18}">week 1</text><text x="${WIDTH}" y="${HEIGHT + 18}" text-anchor="end">week ${last}</text>`,
  ].join("\n");
}

/** The next number above that reads well: 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? 10 * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Rows of a Markdown table with the figures of some weeks. */
export function tableOf(weeks: readonly WeekOfUse[]): string {
  const shown = weeks.filter(({ week }) => week <= 3 || week % 13 === 0);
  const head =
    "| after week | stored sessions | disk | heap | start | list of 50 | write 10 000 turns | delete 200 sessions |";
  const rows = shown.map(
    ({ week, storedSessions, diskBytes, heapBytes, startMs, listMs, writeMs, deleted, deleteMs }) =>
      `| ${week} | ${storedSessions} | ${mib(diskBytes)} | ${mib(heapBytes)} | ${Math.round(startMs)} ms | ${listMs.toFixed(1)} ms | ${seconds(writeMs)} | ${deleted === 0 ? "–" : seconds(deleteMs)} |`,
  );
  return [head, `|${"---|".repeat(8)}`, ...rows].join("\n");
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
