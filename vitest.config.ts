import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Tests import the sources of sibling packages, so they need no build. Only what has to run as its own process
// (the daemon, the agents, the examples) is taken from `dist`; `npm test` builds first.
const conditions = ["@daemon-sdk/source", "node", "import", "module", "default"];

/**
 * Tests that compare speeds, or kill what is busy: they run alone, after all others, or they would measure what else runs, and what
 * else runs would wait for them.
 */
const TIMING = ["{packages/*/,}test/**/*.timing.test.ts", "test/faults.test.ts", "test/model/model.test.ts"];

/** Packages whose files of tests share a process and its modules, for a process and its imports cost more than most of these tests … */
const SHARED = ["protocol", "client", "testing", "transport-ws", "http", "local-daemon"].map(
  (name) => `packages/${name}/test`,
);
/** … but for those that change what all files of a process have in common. */
const CHANGES_GLOBALS =
  /useFakeTimers|vi\.mock\(|setGlobal|memoryUsage|stubGlobal|stubEnv|process\.env|spyOn\(|globalThis\.\w+ =|process\.on\(|chdir\(/;
const sharing = SHARED.flatMap((directory) =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `${directory}/${file.replaceAll("\\", "/")}`)
    .filter((path) => !CHANGES_GLOBALS.test(readFileSync(path, "utf8"))),
);

/** Files that take longest, and wait for much of it: started first, they end with the others. */
const LONGEST = ["test/packages/tried-programs.test.ts", "packages/local-daemon/test/server/no-state-dir.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

const common = {
  setupFiles: ["./test/support/every-file.ts"],
  // For what hangs. A machine that is busy with other things must not fail a good commit.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 50_000 } },
  pool: "forks" as const,
};

// One more than there are cores made tests of processes wait past their deadlines.
const together = { ...common, maxWorkers: Math.max(2, availableParallelism()), sequence: { groupOrder: 0 } };

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: ["./test/support/leftover-processes.ts"],
    dangerouslyIgnoreUnhandledErrors: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          ...together,
          name: "tests",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...TIMING, ...sharing, "**/node_modules/**"],
        },
      },
      {
        extends: true,
        test: { ...together, name: "shared", include: sharing, exclude: TIMING, isolate: false },
      },
      {
        extends: true,
        test: { ...common, name: "timing", include: TIMING, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
