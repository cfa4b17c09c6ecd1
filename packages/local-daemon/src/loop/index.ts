export { BACKGROUND } from "./background-slices.js";
export { LagLog } from "./lag-log.js";
export { addUse, inLoop } from "./loop-use.js";
