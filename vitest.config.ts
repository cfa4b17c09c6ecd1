import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Tests import the sources of sibling packages, so they need no build. Only what has to run as its own process
// (the daemon, the agents, the examples) is taken from `dist`; `npm test` builds first.
const conditions = ["@daemon-sdk/source", "node", "import", "module", "default"];

/** Tests that compare speeds: they run alone, after all others, or they would measure what else runs. */
const TIMING = "{packages/*/,}test/**/*.timing.test.ts";

const common = {
  setupFiles: ["./test/support/every-file.ts"],
  // For what hangs. A machine that is busy with other things must not fail a good commit.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 50_000 } },
  pool: "forks" as const,
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: ["./test/support/leftover-processes.ts"],
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: "tests",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [TIMING, "**/node_modules/**"],
          // Most of them wait for processes. The default leaves one core to the runner, which needs little of it.
          maxWorkers: Math.max(2, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { ...common, name: "timing", include: [TIMING], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
