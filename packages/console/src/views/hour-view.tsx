import type { DaemonConnection } from "@daemon-sdk/client";
import type { GetMetricsResult, MetricMinute } from "@daemon-sdk/protocol";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Chart } from "../charts/index.js";
import { clock, Empty, Scrollable, Spinner } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

const MINUTES = 60;
const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;
/** Between two looks at the measurements. */
const REFRESH_MS = 5_000;

/** The last hour of the daemon, minute by minute. */
export function HourView({ state }: ViewProps): JSX.Element {
  const connection = state.connection.value;
  const isMeasured = connection?.capabilities.metrics === true;
  return (
    <section class="page" aria-labelledby="hour-title">
      <h2 id="hour-title">Last hour</h2>
      {isMeasured ? (
        <Measured connection={connection} />
      ) : (
        <Empty title="This daemon keeps no measurements">A newer one does.</Empty>
      )}
    </section>
  );
}

function Measured({ connection }: { readonly connection: DaemonConnection }): JSX.Element {
  const metrics = useSignal<GetMetricsResult | undefined>(undefined);
  const failure = useSignal<string | undefined>(undefined);
  useEffect(() => {
    const read = async (): Promise<void> => {
      try {
        metrics.value = await connection.getMetrics();
        failure.value = undefined;
      } catch (error) {
        failure.value = error instanceof Error ? error.message : String(error);
      }
    };
    void read();
    const timer = setInterval(() => void read(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [connection, metrics, failure]);
  if (metrics.value !== undefined) return <Charts metrics={metrics.value} />;
  return failure.value === undefined ? (
    <Spinner label="Loading the measurements" />
  ) : (
    <Empty title="The measurements cannot be shown">{failure.value}</Empty>
  );
}

/** What is drawn, and how it is read. */
const CHARTS: readonly {
  readonly title: string;
  readonly kind: "bars" | "lines";
  format(value: number): string;
  readonly series: Readonly<Record<string, (minute: MetricMinute) => number | undefined>>;
}[] = [
  { title: "Events a minute", kind: "bars", format: countText, series: { "": ({ events }) => events } },
  { title: "Turns a minute", kind: "bars", format: countText, series: { "": ({ turns }) => turns } },
  {
    title: "Commit to delivery",
    kind: "lines",
    format: msText,
    series: { p50: ({ latencyP50Ms }) => latencyP50Ms, p99: ({ latencyP99Ms }) => latencyP99Ms },
  },
  { title: "Memory", kind: "lines", format: mibText, series: { "": ({ rssBytes }) => rssBytes / MIB } },
];

function Charts({ metrics }: { readonly metrics: GetMetricsResult }): JSX.Element {
  const marked = useSignal<number | undefined>(undefined);
  const columns = columnsOf(metrics);
  return (
    <>
      <Lead startedAt={metrics.startedAt} at={marked.value === undefined ? undefined : columns[marked.value]?.at} />
      <div class="charts">
        {CHARTS.map(({ title, kind, format, series }) => (
          <Chart
            key={title}
            title={title}
            kind={kind}
            format={format}
            series={Object.entries(series).map(([name, read]) => ({
              name,
              points: columns.map((minute) => (minute === undefined ? undefined : read(minute))),
            }))}
            marked={marked.value}
            onMark={(column) => {
              marked.value = column;
            }}
          />
        ))}
      </div>
      <Table columns={columns} />
    </>
  );
}

function Lead({ startedAt, at }: { readonly startedAt: number; readonly at: number | undefined }): JSX.Element {
  return (
    <p class="lead">
      {at === undefined ? `The daemon has run since ${clock(startedAt)}.` : `The minute from ${clock(at)} on.`}
    </p>
  );
}

/** One column for each of the last 60 minutes; undefined where the daemon did not run. */
function columnsOf({ at, minutes }: GetMetricsResult): readonly (MetricMinute | undefined)[] {
  const columns: (MetricMinute | undefined)[] = new Array(MINUTES).fill(undefined);
  for (const minute of minutes) {
    const index = MINUTES - 1 - Math.floor((at - minute.at) / MINUTE_MS);
    if (index >= 0 && index < MINUTES) columns[index] = minute;
  }
  return columns;
}

function Table({ columns }: { readonly columns: readonly (MetricMinute | undefined)[] }): JSX.Element {
  const rows = columns.filter((minute) => minute !== undefined).reverse();
  return (
    <details class="hour-table">
      <summary>As a table</summary>
      <Scrollable class="table" label="The last hour, newest minute first">
        <table>
          <thead>
            <tr>
              {["Minute", "Events", "Turns", "p50", "p99", "Memory"].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((minute) => (
              <tr key={minute.at}>
                <td>{clock(minute.at)}</td>
                <td>{countText(minute.events)}</td>
                <td>{countText(minute.turns)}</td>
                <td>{minute.latencyP50Ms === undefined ? "–" : msText(minute.latencyP50Ms)}</td>
                <td>{minute.latencyP99Ms === undefined ? "–" : msText(minute.latencyP99Ms)}</td>
                <td>{mibText(minute.rssBytes / MIB)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
    </details>
  );
}

function countText(count: number): string {
  return Math.round(count).toLocaleString();
}

function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function mibText(mib: number): string {
  return `${Math.round(mib)} MiB`;
}
