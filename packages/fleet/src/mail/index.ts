export type * from "./fleet-relay.js";
export { MachineMail } from "./machine-mail.js";
