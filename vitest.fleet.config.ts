import { mergeConfig } from "vitest/config";
import base from "./vitest.config.js";

/** The scenarios of `npm run test:fleet`: real servers, clusters and processes that are killed. They run one after another. */
const { projects: _projects, ...shared } = base.test ?? {};

export default mergeConfig(
  { ...base, test: shared },
  {
    test: {
      setupFiles: ["./test/support/every-file.ts"],
      include: ["test/fleet/**/*.scenario.ts"],
      testTimeout: 120_000,
      hookTimeout: 120_000,
      expect: { poll: { timeout: 60_000 } },
      pool: "forks",
      maxWorkers: 1,
    },
  },
);
