import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentContract, agentHarness, fakeAgentHarness } from "@daemon-sdk/testing/node";
import { registerContract } from "@daemon-sdk/testing/vitest";
import { afterAll, describe } from "vitest";
import { ROOT } from "../support/packages.js";
import { WORKSPACE_AGENT_PROGRAM } from "./real-daemon-harness.js";

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
