import type { ServiceProgram } from "./service-program.js";

/** Exit codes of the daemon after which another start changes nothing: it runs already, or somebody has to change something. */
const FINAL_CODES = "3 4";

/** Longer than a daemon that drains for its default time. */
const STOP_S = 60;

/**
 * The user unit of systemd. A failed daemon is started again; one that cannot start is not. At a stop the daemon gets the signal
 * alone and ends its agents itself.
 */
export function systemdUnit({ command, env }: ServiceProgram): string {
  const words = command.map((word, index) => quoted(index === 0 ? word : word.replaceAll("$", "$$$$")));
  return `[Unit]
Description=The local daemon for coding agents
Documentation=https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/operations.md

[Service]
ExecStart=${words.join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
${Object.entries(env)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  .join("")}Restart=on-failure
RestartSec=2
RestartPreventExitStatus=${FINAL_CODES}
KillMode=mixed
TimeoutStopSec=${STOP_S}
UMask=0077

[Install]
WantedBy=default.target
`;
}

/**
 * One word for systemd: what it would replace or split is masked. Variables are replaced in the arguments of a command only, so
 * `$` is masked there and not here.
 */
function quoted(word: string): string {
  const masked = word.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/%/g, "%%");
  return /^[\w@%+=:,./-]+$/.test(masked) ? masked : `"${masked}"`;
}
