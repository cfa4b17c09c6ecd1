import type { DaemonState } from "../daemon/index.js";

/** What every view gets. */
export interface ViewProps {
  readonly state: DaemonState;
}
