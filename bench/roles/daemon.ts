import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { sayReady } from "./role.js";

/** The key of the bench. */
export const BENCH_KEY = "fk-bench-on-loopback";

/** Our daemon in a process of its own, with the plainest agent, on a port of its choice. */
export async function playDaemon(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
  const command = [process.execPath, process.argv[1] ?? "", "--role", "pipe-agent"] as const;
  const daemon = await createDaemon({
    stateDir,
    port: 0,
    apiKeys: [BENCH_KEY],
    agents: { "pipe-agent": { driver: "stream-jsonrpc", command } },
    defaultAgent: "pipe-agent",
  });
  process.once("SIGTERM", () => {
    void daemon.close({ drainMs: 0 }).then(() => {
      rmSync(stateDir, { recursive: true, force: true });
      process.exit(0);
    });
  });
  sayReady({ port: daemon.endpoint.port });
}
