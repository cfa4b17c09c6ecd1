/**
 * A daemon, and a small server for the page beside this file. In a service of yours, the server is your own: what it has to do is
 * to know who its user is, and to hand that user's page a ticket.
 *
 *   node apps/examples/dist/browser-server.js [port]
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { connectDaemon } from "@daemon-sdk/client";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { build } from "esbuild";
import { openDirectories } from "../src/scratch.js";

const FOLDER = fileURLToPath(new URL("../browser/", import.meta.url));

await using directories = openDirectories();
const { stateDir, workspace } = directories;
process.env.DAEMON_SDK_HOME = stateDir;

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(500).end());
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1");
await once(server, "listening");
const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const origin = `http://${host}`;

const daemon = await createDaemon({ stateDir, port: 0, allowedOrigins: [origin] });
const daemonUrl = `ws://127.0.0.1:${daemon.endpoint.port}`;
const connection = await connectDaemon();
const script = await bundle();

/**
 * This server's stand-in for a log-in: the link that is printed works once, and makes its browser known by a cookie. (Cookies know
 * no ports: a service has a host name of its own, and HTTPS.)
 */
let firstVisit: string | undefined = randomBytes(32).toString("base64url");
const visitor = randomBytes(32).toString("base64url");

console.log(`Open ${origin}/?visit=${firstVisit}`);
const signal = await Promise.race(["SIGINT", "SIGTERM"].map((name) => once(process, name)));
console.log(`Stopping (${String(signal[0] ?? "")})`);
await connection.close();
await daemon.close({ drainMs: 0 });
server.closeAllConnections();
server.close();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", origin);
  // A name that somebody points at 127.0.0.1 comes with another Host, a page of somebody else with another Origin.
  if (request.headers.host !== host || (request.headers.origin ?? origin) !== origin) return refuse(response);
  if (firstVisit !== undefined && searchParams.get("visit") === firstVisit) return welcome(response);
  if (request.headers.cookie !== `visitor=${visitor}`) return refuse(response);
  switch (`${request.method} ${pathname}`) {
    case "GET /":
      return send(response, "text/html; charset=utf-8", await readFile(`${FOLDER}index.html`));
    case "GET /style.css":
      return send(response, "text/css", await readFile(`${FOLDER}style.css`));
    case "GET /page.js":
      return send(response, "text/javascript", script);
    case "POST /place":
      return send(response, "application/json", JSON.stringify({ url: daemonUrl, cwd: workspace }));
    case "POST /ticket":
      return send(response, "application/json", JSON.stringify(await connection.createTicket()));
    default:
      response.writeHead(404).end();
  }
}

function welcome(response: ServerResponse): void {
  firstVisit = undefined;
  response.writeHead(303, {
    "set-cookie": `visitor=${visitor}; HttpOnly; SameSite=Strict`,
    "referrer-policy": "no-referrer",
    location: "/",
  });
  response.end();
}

function refuse(response: ServerResponse): void {
  response.writeHead(403).end("Open the link that the server printed. It works once.\n");
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, {
    "content-type": type,
    "cache-control": "no-store",
    "content-security-policy": `default-src 'self'; connect-src 'self' ${daemonUrl}`,
  });
  response.end(body);
}

/** The page's program as one file for browsers, the SDK included. */
async function bundle(): Promise<string> {
  const entryPoints = [`${FOLDER}page.ts`];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", target: "es2022", write: false });
  return outputFiles[0]?.text ?? "";
}
