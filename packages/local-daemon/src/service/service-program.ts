/** What a service manager starts. */
export interface ServiceProgram {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stateDir: string;
}

/** What the service of a daemon is made of. */
export interface ServiceOptions {
  readonly stateDir: string;
  readonly port?: number | undefined;
  /** Path of this command. */
  readonly program: string;
  /** Options of Node, such as `--import=/etc/otel.mjs`. */
  readonly nodeOptions?: string | undefined;
}

/** The daemon in the foreground, as a service manager wants it: it stays, and logs to stdout. */
export function serviceProgram({ stateDir, port, program, nodeOptions }: ServiceOptions): ServiceProgram {
  const args = ["start", "--foreground", ...(port === undefined ? [] : ["--port", String(port)])];
  const env = { DAEMON_SDK_HOME: stateDir, ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }) };
  return { command: [process.execPath, program, ...args], env, stateDir };
}
