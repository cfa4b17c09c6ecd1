export {
  type Addressees,
  type AnswerCheck,
  answererOf,
  type CarriedRequest,
  Inbox,
  type PendingRequest,
  resolution,
} from "./inbox.js";
