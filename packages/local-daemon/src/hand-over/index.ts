export { askToHandOver, askToStop, type FormerDaemon } from "./ask-former.js";
export { holdAgents } from "./bequest.js";
export { HandOverDoor } from "./hand-over-door.js";
export { type HandOver, type LeaveOrder, type Left, whyEnded } from "./leave-order.js";
export { Succession } from "./succession.js";
