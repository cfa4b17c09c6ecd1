export { type Addressees, answererOf, type CarriedRequest, Inbox, type PendingRequest, resolution } from "./inbox.js";
export { validAnswer } from "./valid-answer.js";
