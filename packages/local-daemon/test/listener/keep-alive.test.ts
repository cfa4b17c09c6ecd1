import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { openDoor } from "./open-door.js";

/** What /proc/net/tcp says of a socket's timer: 2 is the one that keeps it alive. */
const KEEP_ALIVE_TIMER = "02";

/** The timer of our end of the connection that came from `remotePort`. */
function timerOf(localPort: number, remotePort: number): string | undefined {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
  const rows = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const row = rows.find(
    ([, local, remote]) => local?.endsWith(`:${hex(localPort)}`) && remote?.endsWith(`:${hex(remotePort)}`),
  );
  return row?.[5]?.split(":")[0];
}

test.runIf(process.platform === "linux")("the system asks whether a silent TCP peer is still there", async () => {
  await using door = await openDoor();
  const socket = connect({ host: "127.0.0.1", port: door.port });
  await once(socket, "connect");
  const { localPort = 0 } = socket;
  // Answered: so it was accepted by us, not only by the system.
  socket.write("GET /health HTTP/1.1\r\nHost: x\r\n");
  await expect.poll(() => timerOf(door.port, localPort)).toBe(KEEP_ALIVE_TIMER);
  socket.destroy();
});
