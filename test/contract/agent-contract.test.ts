import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acpAgentContract, agentContract, agentHarness, fakeAgentHarness } from "@daemon-sdk/testing/node";
import { registerContract } from "@daemon-sdk/testing/vitest";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { ROOT } from "../support/packages.js";
import { WORKSPACE_AGENT_PROGRAM } from "./workspace-kit.js";

const directory = mkdtempSync(join(tmpdir(), "agent-contract-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const patienceMs = 15_000;

describe("the fake agent", () => {
  registerContract(agentContract, fakeAgentHarness());
});

describe("the workspace agent", () => {
  const harness = agentHarness([process.execPath, WORKSPACE_AGENT_PROGRAM], {
    prompts: {
      say: (word) => `say ${word}`,
      endless: "say It begins. ; then count 1000000 every 20",
      permission: "run true",
      question: "ask Which colour? red | blue",
    },
    workingDirectory: directory,
    env: { DAEMON_SDK_AGENT_STATE: directory },
    keepsConversations: true,
    patienceMs,
  });
  registerContract(agentContract, harness);
});

describe("the echo agent, written from docs/agents.md alone", () => {
  const program = join(ROOT, "apps", "examples", "dist", "echo-agent.js");
  const harness = agentHarness([process.execPath, program], {
    prompts: { say: (word) => word, endless: "wait for me", permission: "delete it", question: "pick red or blue" },
    workingDirectory: directory,
    patienceMs,
  });
  registerContract(agentContract, harness);
});

/** Whether a program is there; where it is not, its agent is skipped, and the name of the group says so. */
function isThere(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0;
}

const AGENTS = join(ROOT, "apps", "examples", "agents");
const prompts = { say: (word: string) => word, endless: "wait for me", permission: "delete it" };

const hasPython = isThere("python3", "--version");
describe.skipIf(!hasPython)(`the Python agent${hasPython ? "" : " (skipped: python3 is not on PATH)"}`, () => {
  const command = ["python3", join(AGENTS, "echo_agent.py")] as const;
  registerContract(acpAgentContract, agentHarness(command, { prompts, workingDirectory: directory, patienceMs }));
});

const hasGo = isThere("go", "version");
describe.skipIf(!hasGo)(`the Go agent${hasGo ? "" : " (skipped: go is not on PATH)"}`, () => {
  const program = join(directory, "echo-agent");
  beforeAll(() => {
    const { status, stderr } = spawnSync("go", ["build", "-o", program, join(AGENTS, "echo-agent.go")]);
    expect(status, String(stderr)).toBe(0);
  }, 120_000);
  registerContract(acpAgentContract, agentHarness([program], { prompts, workingDirectory: directory, patienceMs }));
});
