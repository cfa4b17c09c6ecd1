import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { readEndpoint } from "../../../src/rendezvous/endpoint-file.js";
import { daemonDesk } from "../../server/daemon-desk.js";
import { RawPeer } from "../relay-daemon.js";
import { ask, isDead, spawned } from "./spawn-harness.js";

async function connect(stateDir: string, name: string): Promise<RawPeer> {
  const endpoint = await readEndpoint(stateDir);
  const socket = net.connect(endpoint?.socket ?? "");
  const peer = new RawPeer(socket);
  await once(socket, "connect");
  await peer.hello(name);
  return peer;
}

test("workers of a daemon that was killed are ended by the next one, and what is sent to their names waits for the next of them", async () => {
  await using desk = daemonDesk();
  const first = await desk.startProcess();
  const lead = await connect(desk.stateDir, "Lead");
  const program = await spawned(lead, "Stubborn", "stubborn");
  const stdio = await spawned(lead, "Worker", "workspace-agent");
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(await isDead(program)).toBe(false);

  await desk.startProcess();
  expect([await isDead(program), await isDead(stdio)]).toEqual([true, true]);
  const again = await connect(desk.stateDir, "Lead");
  expect((await ask(again, "LIST_WORKERS", {})).workers).toEqual([]);
  again.send("Worker", "say later");
  await spawned(again, "Worker", "workspace-agent");
  expect((await again.next("DELIVER")).payload.body).toBe("later");
  for (const peer of [lead, again]) await peer.cut();
});
