export { addDoctorCommand } from "./doctor-command.js";
export { addLogsCommand } from "./logs-command.js";
export { addOpenCommand } from "./open-command.js";
export { addRestartCommand } from "./restart-command.js";
export { addStartCommand } from "./start-command.js";
export { addStatusCommand } from "./status-command.js";
export { addStopCommand } from "./stop-command.js";
export { addTailMetricsCommand } from "./tail-metrics-command.js";
