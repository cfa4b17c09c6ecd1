import { MACHINES } from "../schemas/index.js";
import { type Route, reading } from "./route.js";

/** The machines of a fleet. */
export const MACHINE_ROUTES: readonly Route[] = [
  reading({
    path: "/machines",
    operationId: "listMachines",
    summary: "The machines of the fleet, those that are lost included. 501 where the gateway serves one daemon.",
    answer: { description: "All machines that are known.", schema: MACHINES },
    read: async ({ daemon }) => ({ machines: daemon.machines() }),
  }),
];
