#!/usr/bin/env node
// Stands in for `droid`: `fake-droid daemon --host 127.0.0.1 --port N` listens there and speaks WebSocket.
import { appendFileSync } from "node:fs";
import { WebSocketServer } from "ws";

const [command, ...rest] = process.argv.slice(2);
appendFileSync(process.env.FAKE_DROID_STARTS, `${[command, ...rest].join(" ")}\n`);
const port = Number(rest[rest.indexOf("--port") + 1]);
const host = rest[rest.indexOf("--host") + 1];
new WebSocketServer({ host, port }).on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
