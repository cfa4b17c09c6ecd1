export { MachineMail } from "./machine-mail.js";
