import { parentPort, workerData } from "node:worker_threads";
import { answerSalvage, type SalvageRequest } from "./salvage-answer.js";

// The program of the thread that salvages: one request, one answer.
parentPort?.postMessage(answerSalvage(workerData as SalvageRequest));
