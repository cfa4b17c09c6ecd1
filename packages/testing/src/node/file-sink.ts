import { appendFileSync } from "node:fs";

/**
 * A file as the sink of `recordTransport`. Each line is on disk when the call returns, so a process that dies loses none.
 * The file is created with mode 0600 and appended to.
 */
export function fileSink(path: string): (line: string) => void {
  return (line) => appendFileSync(path, `${line}\n`, { mode: 0o600 });
}
