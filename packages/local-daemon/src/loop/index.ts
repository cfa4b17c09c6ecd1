export { LagLog } from "./lag-log.js";
export { addUse, inLoop } from "./loop-use.js";
