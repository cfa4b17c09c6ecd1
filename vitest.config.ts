import { defineConfig } from "vitest/config";

// Tests import the sources of sibling packages, so they need no build. Only what has to run as its own process
// (the daemon, the agents, the examples) is taken from `dist`; `npm test` builds first.
const conditions = ["@daemon-sdk/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["./test/support/every-file.ts"],
    globalSetup: ["./test/support/leftover-processes.ts"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: "forks",
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
