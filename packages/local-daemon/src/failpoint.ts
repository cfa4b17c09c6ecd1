declare const __DAEMON_FAILPOINTS__: boolean | undefined;

/** Name of the place, and how often it has to be passed (default once): `DAEMON_TEST_FAILPOINT=message-handed:2`. */
const WANTED = /^([a-z-]+)(?::(\d+))?$/;

let passes = 0;

/**
 * A place at which tests end the daemon, as a power cut would: between two steps whose order matters.
 *
 * Only the bundle that tests build for themselves acts on it, and only when `DAEMON_TEST_FAILPOINT` names the place; the
 * published one is built without (a test looks for it there), and sources that run unbuilt do nothing.
 */
export function failpoint(name: string): void {
  if (typeof __DAEMON_FAILPOINTS__ !== "undefined" && __DAEMON_FAILPOINTS__) {
    const [, wanted, count = "1"] = WANTED.exec(process.env.DAEMON_TEST_FAILPOINT ?? "") ?? [];
    if (wanted === name && ++passes === Number(count)) process.kill(process.pid, "SIGKILL");
  }
}
