export { DaemonExchange } from "./daemon-exchange.js";
