/** Counts of the demo. */
export interface Summary {
  /** Pids of the processes. They have ended, unless they were kept. */
  readonly daemonPid: number;
  readonly agentPids: readonly number[];
  readonly sessions: number;
  /** Clients' WebSockets, as the daemon counts them. */
  readonly sockets: number;
  readonly toolCalls: number;
  readonly permissionsAsked: number;
  readonly interrupted: number;
  readonly resumed: number;
  /** Files that the agents wrote, read back from disk and compared. They are kept. */
  readonly files: readonly string[];
  readonly durationMs: number;
}

/** Prints the summary, as JSON on one line or for people. */
export function printSummary(summary: Summary, isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(summary));
    return;
  }
  const { sessions, sockets, toolCalls, permissionsAsked, interrupted, resumed, files, durationMs } = summary;
  console.log(
    `\n${sessions} sessions on ${sockets} socket, ${toolCalls} tool calls, ${permissionsAsked} permissions asked,`,
  );
  console.log(`${interrupted} turn interrupted, ${resumed} session resumed, in ${durationMs} ms. The files:`);
  for (const file of files) console.log(`  ${file}`);
}
