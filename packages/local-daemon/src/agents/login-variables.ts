import { delimiter } from "node:path";

/** Variables that name a proxy. Programs read either spelling. */
export const PROXY_VARIABLES: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap(
  (name) => [name, name.toLowerCase()],
);

/** A shell line that prints the environment between two marks. What start files print stands before the first one. */
export function printingLine(mark: string): string {
  return `echo ${mark}; /usr/bin/env -0; echo ${mark}`;
}

/** The variables in the output of {@link printingLine}; undefined while the second mark is missing. */
export function parsePrinted(output: string, mark: string): ReadonlyMap<string, string> | undefined {
  const [, printed, rest] = output.split(`${mark}\n`);
  if (printed === undefined || rest === undefined) return undefined;
  const pairs = printed.split("\0").flatMap((pair): [string, string][] => {
    const end = pair.indexOf("=");
    return end < 1 ? [] : [[pair.slice(0, end), pair.slice(end + 1)]];
  });
  return new Map(pairs);
}

/**
 * The daemon's environment with PATH and proxies of the login shell (docs/agents.md, "Environment").
 *
 * PATH: the directories of the login shell, then those of the daemon that are missing. Proxies: those of the login shell when it
 * sets any, else those of the daemon. A mixture could send one half of the requests past a proxy.
 */
export function withLoginVariables(own: NodeJS.ProcessEnv, login: ReadonlyMap<string, string>): NodeJS.ProcessEnv {
  const directories = [login.get("PATH"), own.PATH].flatMap((path) => path?.split(delimiter) ?? []);
  const merged: NodeJS.ProcessEnv = {
    ...own,
    PATH: [...new Set(directories)].filter((directory) => directory !== "").join(delimiter),
  };
  const proxies = PROXY_VARIABLES.flatMap((name) => {
    const value = login.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  if (proxies.length === 0) return merged;
  for (const name of PROXY_VARIABLES) delete merged[name];
  return Object.assign(merged, Object.fromEntries(proxies));
}
