import { MachineType } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { type ResolveUrlOptions, resolveWebSocketUrl } from "../../src/index.js";

const computer = { type: MachineType.Computer, computerId: "c-1" } as const;
const sandbox = { type: MachineType.Ephemeral, sandboxId: "sb1", workspaceId: "w" } as const;

test.each<[string, ResolveUrlOptions, string]>([
  ["nothing is this machine", {}, "ws://127.0.0.1:37643"],
  ["a local machine", { machine: { type: MachineType.Local } }, "ws://127.0.0.1:37643"],
  ["a port of a local machine", { daemonPort: 4000 }, "ws://127.0.0.1:4000"],
  ["a sandbox", { machine: sandbox }, "wss://37643-sb1.e2b.app"],
  ["a port of a sandbox", { machine: sandbox, daemonPort: 4000 }, "wss://4000-sb1.e2b.app"],
  ["a computer", { machine: computer }, "wss://relay.factory.ai/v0/computer/c-1/client"],
  [
    "another relay",
    { machine: computer, relayBaseUrl: "ws://127.0.0.1:9/" },
    "ws://127.0.0.1:9/v0/computer/c-1/client",
  ],
  [
    "an id cannot leave its place",
    { machine: { ...computer, computerId: "a/../b?c" } },
    "wss://relay.factory.ai/v0/computer/a%2F..%2Fb%3Fc/client",
  ],
  ["a URL wins over all", { url: "wss://x/y", machine: computer, daemonPort: 1, relayBaseUrl: "ws://z" }, "wss://x/y"],
])("%s", (_name, options, url) => {
  expect(resolveWebSocketUrl(options)).toBe(url);
});
