export { DaemonExchange } from "./daemon-exchange.js";
export type { MailAccount, MailCarrier, MailExchange, MailLetter, MailReport, RelayExchange } from "./mail-carrier.js";
