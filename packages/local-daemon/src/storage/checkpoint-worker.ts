import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { STORAGE_LIMITS } from "../limits/index.js";
import { openDatabase } from "../sqlite-library.js";
import type { CheckpointReply, CheckpointRequest } from "./checkpointer.js";

// The program of the thread that checkpoints: one file, one partner.
// A file that is gone must not be made again: SQLite would.
statSync(String(workerData));
const database = openDatabase(String(workerData));
database.exec(`PRAGMA busy_timeout=${STORAGE_LIMITS.busyMs}; PRAGMA synchronous=NORMAL`);
const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.page_size);

/**
 * Copies what is committed from the log into the file. `PASSIVE` waits for no other connection, and holds none up; `TRUNCATE`
 * holds commits up for what the passive one before it has left.
 */
function checkpoint(request: "checkpoint" | "truncate"): CheckpointReply {
  try {
    let { log } = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() as { log: number };
    if (request === "truncate")
      ({ log } = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { log: number });
    return { logBytes: log * pageBytes };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", (request: CheckpointRequest) => {
  if (request !== "close") {
    parentPort?.postMessage(checkpoint(request));
    return;
  }
  database.close();
  parentPort?.close();
});
