import type { JSX } from "preact";
import { Empty } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

/** The last hour of the daemon. */
export function HourView({ state }: ViewProps): JSX.Element {
  void state;
  return (
    <section class="page" aria-labelledby="hour-title">
      <h2 id="hour-title">Last hour</h2>
      <Empty title="This daemon keeps no measurements">A newer one does.</Empty>
    </section>
  );
}
