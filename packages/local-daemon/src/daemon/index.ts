export { runDaemon } from "./run-daemon.js";
