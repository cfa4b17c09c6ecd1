import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DaemonError } from "@daemon-sdk/protocol";
import type { SalvageReport } from "./salvage.js";
import type { SalvageReply, SalvageRequest } from "./salvage-answer.js";

/**
 * Runs `salvage` in a thread of its own, so that the process answers meanwhile; in this one where the thread's program is
 * missing, as in sources that were not built. Rejects with `STORAGE_FULL` or `STORAGE_FAILED`.
 */
export async function salvageInThread(
  request: SalvageRequest,
  program: string = fileURLToPath(new URL("salvage-worker.cjs", import.meta.url)),
): Promise<SalvageReport> {
  if (!existsSync(program)) {
    const { answerSalvage } = await import("./salvage-answer.js");
    return reportOf(answerSalvage(request));
  }
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(program, { workerData: request, execArgv: [] });
  try {
    return await new Promise<SalvageReport>((resolve, reject) => {
      worker.on("message", (reply: SalvageReply) => {
        if ("report" in reply) resolve(reply.report);
        else reject(new DaemonError(reply.error.code, reply.error.message));
      });
      worker.on("error", (cause) => reject(threadFailed(cause)));
      worker.on("exit", () => reject(threadFailed(undefined)));
    });
  } finally {
    await worker.terminate();
  }
}

function reportOf(reply: SalvageReply): SalvageReport {
  if ("report" in reply) return reply.report;
  throw new DaemonError(reply.error.code, reply.error.message);
}

function threadFailed(cause: Error | undefined): DaemonError {
  const why = cause?.message ?? "its thread ended";
  return new DaemonError("STORAGE_FAILED", `The damaged store could not be read: ${why}.`, { cause });
}
