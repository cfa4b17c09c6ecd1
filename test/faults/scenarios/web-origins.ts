import assert from "node:assert/strict";
import { upgradeText } from "../../support/raw-http.js";
import type { FaultScenario } from "../scenario.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { exchange } from "../support/raw-socket.js";

const ORIGIN = "https://app.example.com";

/** What the header says, and what is answered to it. */
type Row = readonly [title: string, status: 101 | 403, headers: (port: number) => (readonly [string, string])[]];

const own = (port: number): readonly [string, string] => ["Host", `127.0.0.1:${port}`];
const origin = (title: string, status: 101 | 403, ...values: string[]): Row => [
  title,
  status,
  (port) => [own(port), ...values.map((value) => ["Origin", value] as const)],
];
const host = (title: string, status: 101 | 403, make: (port: number) => string): Row => [
  title,
  status,
  (port) => [["Host", make(port)]],
];

const ORIGIN_ROWS: readonly Row[] = [
  origin("absent: a program", 101),
  origin("the configured one", 101, ORIGIN),
  origin("null", 403, "null"),
  origin("evil", 403, "https://evil.example"),
  origin("a name that begins with ours", 403, `${ORIGIN}.evil.example`),
  origin("a name that ends with ours", 403, "https://evil-app.example.com"),
  origin("http://localhost.evil.com", 403, "http://localhost.evil.com"),
  origin("http://127.0.0.1@evil", 403, "http://127.0.0.1@evil.example"),
  origin("ours as the user", 403, "https://app.example.com@evil.example"),
  origin("another scheme", 403, "http://app.example.com"),
  origin("another port", 403, `${ORIGIN}:8443`),
  origin("a path", 403, `${ORIGIN}/`),
  origin("another case", 403, "https://APP.example.com"),
  origin("two", 403, ORIGIN, ORIGIN),
];

const HOST_ROWS: readonly Row[] = [
  host("127.0.0.1 with the port", 101, (port) => `127.0.0.1:${port}`),
  host("localhost with the port", 101, (port) => `localhost:${port}`),
  host("[::1] with the port", 101, (port) => `[::1]:${port}`),
  host("a name that was pointed here", 403, (port) => `evil.example:${port}`),
  host("a trailing dot", 403, (port) => `localhost.:${port}`),
  host("127.0.0.1 with a trailing dot", 403, (port) => `127.0.0.1.:${port}`),
  host("another port", 403, (port) => `127.0.0.1:${port === 1 ? 2 : port - 1}`),
  host("no port", 403, () => "127.0.0.1"),
  host("another spelling", 403, (port) => `127.1:${port}`),
  host("IPv6 without brackets", 403, (port) => `::1:${port}`),
  host("IPv6, spelt out", 403, (port) => `[0:0:0:0:0:0:0:1]:${port}`),
  host("IPv4 in IPv6", 403, (port) => `[::ffff:127.0.0.1]:${port}`),
  host("a name that begins like ours", 403, (port) => `127.0.0.1:${port}.evil.example`),
];

/** S2, S3: web pages stay outside, whatever name they come under. */
export const originScenarios: readonly FaultScenario[] = [
  {
    id: "S2",
    title: "an Origin is let in when it is exactly a configured one, before the upgrade",
    isQuick: true,
    async run() {
      await using daemon = await startForeground({ config: { allowedOrigins: [ORIGIN] } });
      await decide(daemon, ORIGIN_ROWS);
      return `${ORIGIN_ROWS.length} rows, exact match only`;
    },
  },
  {
    id: "S3",
    title: "a Host that is not exactly ours is refused with 403",
    isQuick: true,
    async run() {
      await using daemon = await startForeground();
      await decide(daemon, HOST_ROWS);
      await decide(daemon, HOST_ROWS, "/relay");
      return `${HOST_ROWS.length} rows, for clients and for agents`;
    },
  },
];

async function decide(daemon: ForegroundDaemon, rows: readonly Row[], path?: string): Promise<void> {
  for (const [title, status, headers] of rows) {
    const answer = await exchange({ host: "127.0.0.1", port: daemon.port }, upgradeText(headers(daemon.port), path));
    assert.equal(answer.status, status, `${title}: ${answer.heard.split("\r\n")[0]}`);
  }
}
