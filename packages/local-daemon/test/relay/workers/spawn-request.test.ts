import { describe, expect, it } from "vitest";
import { type SpawnFacts, spawnFault } from "../../../src/relay/workers/spawn-request.js";

const FACTS: SpawnFacts = {
  isRunning: () => false,
  isStarting: () => false,
  isConnected: () => false,
  isHeld: () => false,
  lookAlike: () => undefined,
  isConfigured: (cli) => cli === "workspace",
  configured: ["workspace"],
};

const request = (name: string, cli = "workspace") => ({ name, cli, task: "" });
const yes = () => true;

describe("spawnFault", () => {
  it("takes a plain name and a configured agent", () => {
    expect(spawnFault(request("Worker-1"), FACTS)).toBeUndefined();
    expect(spawnFault(request("constructor"), FACTS)).toBeUndefined();
  });

  it.each(["../x", "a/b", "a\\b", "a..b"])("refuses the name %s as a path", (name) => {
    expect(spawnFault(request(name), FACTS)).toContain("contains path traversal characters");
  });

  it.each(["", " x", "*", "#dev", "a\nb", "x".repeat(129)])("refuses %j, under which nobody may connect", (name) => {
    expect(spawnFault(request(name), FACTS)).toContain("Invalid agent name");
  });

  it("refuses names of the daemon's own parts", () => {
    expect(spawnFault(request("system"), FACTS)).toContain("is reserved for system use");
  });

  it("names the first of several reasons: path, running, in progress, connected, not configured", () => {
    const reasons: (string | undefined)[] = [];
    const facts = { ...FACTS, isRunning: yes, isStarting: yes, isConnected: yes };
    reasons.push(spawnFault(request("a/b", "none"), facts));
    reasons.push(spawnFault(request("W", "none"), facts));
    reasons.push(spawnFault(request("W", "none"), { ...facts, isRunning: FACTS.isRunning }));
    reasons.push(spawnFault(request("W", "none"), { ...FACTS, isConnected: yes }));
    reasons.push(spawnFault(request("W", "none"), FACTS));
    expect(reasons.map((reason) => reason?.slice(0, 48))).toEqual([
      'Agent name "a/b" contains path traversal charact',
      'Agent "W" is already running. Release it, or cho',
      'Spawn of agent "W" is already in progress. Wait ',
      'Agent "W" is already connected. Choose another n',
      'No agent is configured as "none". Known ones: wo',
    ]);
  });
});
