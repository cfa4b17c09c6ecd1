export { type Addressees, answererOf, Inbox, type PendingRequest, resolution } from "./inbox.js";
export { validAnswer } from "./valid-answer.js";
