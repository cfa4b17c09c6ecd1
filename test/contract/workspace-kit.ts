import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DaemonHarness } from "@daemon-sdk/testing";

/** The built default agent, as the package ships it. */
export const WORKSPACE_AGENT_PROGRAM = join(
  dirname(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon/package.json")),
  "dist",
  "workspace-agent.cjs",
);

/** Bytes of prompts of the second key that may wait: a few prompts of a case fill it. */
const QUEUED_BYTES = 64 * 1024;
const KEYS = ["first-key-of-the-daemon-contract", "second-key-of-the-daemon-contract"] as const;

/** The keys of {@link workspaceKit}, as a daemon is configured with them. */
export const KIT_KEYS = [KEYS[0], { key: KEYS[1], quotas: { queuedBytes: QUEUED_BYTES } }];

/** What the daemon contract knows of every daemon of ours that has {@link KIT_KEYS} and the workspace agent. */
export function workspaceKit(directory: string) {
  return {
    keys: [{ apiKey: KEYS[0] }, { apiKey: KEYS[1] }],
    queuedBytes: QUEUED_BYTES,
    workingDirectory: directory,
    prompts: {
      say: (word) => `say ${word}`,
      stream: (events) => `stream ${events}`,
      endless: "count 1000000 every 20",
      permission: "run true",
      question: "ask Which colour? red | blue",
      die: "run kill -9 $PPID",
    },
    // Only a machine that is busy with other things needs it.
    patienceMs: 60_000,
  } satisfies Partial<DaemonHarness>;
}
