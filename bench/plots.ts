import type { Outcome } from "./measure.js";

/** One line of a picture: its points, of which each is above a mark of the axis. */
interface Line {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

/** A picture of one unit over the marks of an axis, which stand at even distances. */
interface Picture {
  /** Name of its file, without an ending. */
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly axis: string;
  readonly marks: readonly string[];
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, LEGEND_ROW] = [560, 240, 76, 48, 60, 18];
const COLOURS = ["#1f6feb", "#d1570a", "#2da44e", "#8250df", "#57606a"];
const CPU = "µs of the daemon's CPU per event";
const SHARES = [10, 25, 50, 75, 90];
/** How many sessions the bench opens, one after the other, to see what they take. */
export const SESSION_COUNTS = [0, 500, 1_000, 2_000] as const;

/** The pictures of a run as SVG, by the names of their files. What was not measured is not drawn. */
export function plotsOf(outcomes: readonly Outcome[]): ReadonlyMap<string, string> {
  const medianOf = (measure: string, contestant: string, figure?: string) =>
    outcomes.find((one) => one.measure === measure && one.contestant === contestant && one.figure === figure)?.median;
  const pictures = [costPicture(medianOf), latencyPicture(medianOf), memoryPicture(medianOf), scalePicture(outcomes)];
  const drawn = pictures.filter(({ lines }) => lines.some(({ values }) => values.some((value) => value !== undefined)));
  return new Map(drawn.map((picture) => [`${picture.file}.svg`, svgOf(picture)]));
}

type MedianOf = (measure: string, contestant: string, figure?: string) => number | undefined;

function costPicture(medianOf: MedianOf): Picture {
  const whole = (sessions: string) => medianOf("whole-path", `stream() on our daemon, ${sessions}`, CPU);
  const limit = medianOf("whole-path", "hand-made pipe, no journal", CPU);
  return {
    file: "bench-cost",
    title: "Cost of an event in the daemon",
    unit: "µs of processor time",
    axis: "sessions at work",
    marks: ["1", "10", "100", "1 000"],
    lines: [
      {
        name: "our daemon",
        values: [
          whole("1 session"),
          whole("10 sessions"),
          whole("100 sessions"),
          medianOf("many-sessions", "stream() on our daemon, 1 000 sessions", CPU),
        ],
      },
      {
        name: "hand-made pipe without a journal",
        values: [
          limit,
          undefined,
          medianOf("whole-path", "hand-made pipe, no journal, 100 agents", CPU),
          medianOf("many-sessions", "hand-made pipe, no journal", CPU),
        ],
      },
    ],
  };
}

function latencyPicture(medianOf: MedianOf): Picture {
  const percentile = (name: string, figure?: string) => ({
    name,
    values: SHARES.map((share) => medianOf("latency", `stream() at ${share} % of the highest rate`, figure)),
  });
  return {
    file: "bench-latency",
    title: "From an agent's write to the event of stream()",
    unit: "µs",
    axis: "load, of the highest rate",
    marks: SHARES.map((share) => `${share} %`),
    lines: [percentile("p50"), percentile("p99", "p99"), percentile("p99.9", "p99.9")],
  };
}

function memoryPicture(medianOf: MedianOf): Picture {
  const heap = (name: string, figure?: string) => ({
    name,
    values: SESSION_COUNTS.map((count) => medianOf("sessions-memory", `${count} idle sessions`, figure)),
  });
  return {
    file: "bench-memory",
    title: "Heap after a collection",
    unit: "MiB",
    axis: "idle sessions, each with a handle",
    marks: SESSION_COUNTS.map((count) => count.toLocaleString("en").replace(",", " ")),
    lines: [heap("the daemon"), heap("the client", "heap of the client")],
  };
}

function scalePicture(outcomes: readonly Outcome[]): Picture {
  const points = outcomes.filter(({ measure, figure }) => measure === "scale" && figure === undefined);
  return {
    file: "bench-scale",
    title: "1 000 live agents and 100 000 stored sessions",
    unit: "events/s to the clients",
    axis: "agents that write at a time",
    marks: points.map(({ contestant }) => contestant.replace(/ of .*/, "")),
    lines: [{ name: "our daemon", values: points.map(({ median }) => median) }],
  };
}

function svgOf(picture: Picture): string {
  const { title, unit, axis, marks, lines } = picture;
  const [width, height] = [LEFT + WIDTH + 32, TOP + HEIGHT + BOTTOM + lines.length * LEGEND_ROW];
  const top = niceAbove(Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const x = (at: number) => round((WIDTH * (at + 0.5)) / marks.length);
  const y = (value: number) => round(HEIGHT - (HEIGHT * value) / top);
  const rules = [0, top / 4, top / 2, (3 * top) / 4, top].map(
    (value) =>
      `<line x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/><text x="-8" y="${y(value) + 4}" text-anchor="end">${spaced(value)}</text>`,
  );
  const labels = marks.map((mark, at) => `<text x="${x(at)}" y="${HEIGHT + 18}" text-anchor="middle">${mark}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`,
    `  aria-label="${title}: ${unit} against ${axis}" font-family="sans-serif" font-size="12" fill="#555">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g transform="translate(${LEFT} ${TOP})">`,
    `<text y="-20" fill="#111" font-weight="bold">${title} (${unit})</text>`,
    ...rules,
    ...labels,
    `<text x="${WIDTH / 2}" y="${HEIGHT + 38}" text-anchor="middle">${axis}</text>`,
    ...lines.map((line, at) => drawn(line, COLOURS[at % COLOURS.length] ?? "#111", at, x, y)),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** A line with its points, and its name below the picture. */
function drawn(
  { name, values }: Line,
  colour: string,
  row: number,
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  const points = values.flatMap((value, at) => (value === undefined ? [] : [`${x(at)},${y(value)}`]));
  const dots = points.map((point) => {
    const [cx, cy] = point.split(",");
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
  });
  const baseline = HEIGHT + BOTTOM + row * LEGEND_ROW;
  return [
    `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...dots,
    `<rect y="${baseline - 8}" width="12" height="4" fill="${colour}"/><text x="20" y="${baseline}">${name}</text>`,
  ].join("\n");
}

/** The next number above that reads well: 1, 2, 4 or 8 times a power of ten. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? 10 * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function spaced(value: number): string {
  return round(value).toLocaleString("en").replaceAll(",", " ");
}
