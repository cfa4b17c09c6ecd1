import type { JSX } from "preact";
import { barPath, linePath, type Point, roundUp } from "./scale.js";

/** One series of a chart. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** Options of {@link Chart}. */
export interface ChartProps {
  readonly title: string;
  readonly kind: "bars" | "lines";
  /** Of the same length each; the second one is dashed. */
  readonly series: readonly Series[];
  /** A value as people read it. */
  format(value: number): string;
  /** The column under the pointer, in every chart of the page. */
  readonly marked: number | undefined;
  onMark(column: number | undefined): void;
}

/** Height of the drawing, in its own units. */
const HEIGHT = 100;

/** A chart of one column for each minute, drawn as SVG. Its values are in a table, too, for whoever does not see it. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, series, format, marked } = props;
  const most = roundUp(Math.max(0, ...series.map(mostOf)));
  return (
    <figure class="chart card">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-now">{series.map((one) => nowText(one, marked, format)).join(" · ")}</span>
      </figcaption>
      <div class="chart-plot">
        <Plot {...props} most={most} />
        <span class="chart-top" aria-hidden="true">
          {format(most)}
        </span>
      </div>
      <div class="chart-times" aria-hidden="true">
        <span>1 h ago</span>
        <span>30 min</span>
        <span>now</span>
      </div>
    </figure>
  );
}

function Plot({
  title,
  kind,
  series,
  format,
  marked,
  onMark,
  most,
}: ChartProps & { readonly most: number }): JSX.Element {
  const columns = series[0]?.points.length ?? 0;
  return (
    <svg
      viewBox={`0 0 ${columns} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${title}: ${series.map((one) => `${one.name} up to ${format(mostOf(one))}`.trim()).join(", ")}`}
      onPointerMove={(event) => onMark(columnAt(event, columns))}
      onPointerLeave={() => onMark(undefined)}
    >
      <path class="chart-grid" d={`M0 0.5H${columns}M0 ${HEIGHT / 2}H${columns}M0 ${HEIGHT - 0.5}H${columns}`} />
      {marked !== undefined && <rect class="chart-mark" x={marked} y={0} width={1} height={HEIGHT} />}
      {series.map(({ name, points }, index) => (
        <path
          key={name}
          class={`chart-${kind} of-${index}`}
          d={kind === "bars" ? barPath(points, most, HEIGHT) : linePath(points, most, HEIGHT)}
        />
      ))}
    </svg>
  );
}

/** The last value of a series, or the marked one, with the name of the series where it has one. */
function nowText({ name, points }: Series, marked: number | undefined, format: (value: number) => string): string {
  const point = marked === undefined ? points.findLast((one) => one !== undefined) : points[marked];
  const value = point === undefined ? "–" : format(point);
  return name === "" ? value : `${name} ${value}`;
}

function mostOf({ points }: Series): number {
  return Math.max(0, ...points.map((point) => point ?? 0));
}

function columnAt(event: PointerEvent, columns: number): number {
  const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
  return Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * columns)));
}
