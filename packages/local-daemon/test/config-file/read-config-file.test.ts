import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DaemonError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { readConfigFile } from "../../src/config-file/index.js";
import { tempHome } from "../rendezvous/temp-home.js";

function homeWith(config: unknown) {
  const home = tempHome();
  const text = typeof config === "string" ? config : JSON.stringify(config);
  writeFileSync(join(home.path, "config.json"), text, { mode: 0o600 });
  return home;
}

test("no configuration file means defaults", async () => {
  using home = tempHome();
  expect(await readConfigFile(home.path)).toEqual({});
});

test("a configuration is read as it was written; an agent's driver may be left out", async () => {
  using home = homeWith({
    port: 0,
    agents: { mine: { command: ["node", "agent.js"] } },
    allowedOrigins: ["https://a.example"],
  });
  expect(await readConfigFile(home.path)).toEqual({
    port: 0,
    agents: { mine: { command: ["node", "agent.js"] } },
    allowedOrigins: ["https://a.example"],
  });
});

test.each<[string, unknown]>([
  ["port", { port: "80" }],
  ["agents.mine.command", { agents: { mine: { command: [] } } }],
  ["apiKeys.0", { apiKeys: ["short-secret"] }],
  ["config.json", { allowedOrigin: [] }],
  ["config.json", "{"],
])("a wrong %s is refused, named, and not repeated", async (name, config) => {
  using home = homeWith(config);
  const error: unknown = await readConfigFile(home.path).catch((reason: unknown) => reason);
  expect(DaemonError.is(error, "INVALID_OPTION")).toBe(true);
  expect(String(error)).toContain(name);
  expect(String(error)).not.toContain("short-secret");
});

test("a configuration that others can read, or that is a link, is refused: it may hold keys", async () => {
  using open = homeWith({});
  chmodSync(join(open.path, "config.json"), 0o644);
  await expect(readConfigFile(open.path)).rejects.toThrow(/mode 0600/);
  using linked = tempHome();
  symlinkSync(join(open.path, "config.json"), join(linked.path, "config.json"));
  await expect(readConfigFile(linked.path)).rejects.toThrow(/symbolic link/);
});
