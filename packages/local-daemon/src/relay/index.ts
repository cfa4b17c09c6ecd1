export type {
  MailAccount,
  MailCarrier,
  MailExchange,
  MailLetter,
  MailReport,
  RelayExchange,
} from "./exchange/index.js";
export type { NameElsewhere } from "./names/index.js";
export { RelayHost } from "./relay-host.js";
export { RelayListener } from "./wire/index.js";
export type { SpawningParts } from "./workers/index.js";
