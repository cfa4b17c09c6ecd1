import { parentPort, workerData } from "node:worker_threads";
import { IndexKeeper } from "./index-keeper.js";
import type { NumberedRequest } from "./search-messages.js";

// The program of the search's thread: one index, one partner.
const keeper = new IndexKeeper(String(workerData), (reply) => parentPort?.postMessage(reply));
parentPort?.on("message", (request: NumberedRequest) => keeper.receive(request));
