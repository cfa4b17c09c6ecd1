export { DiffView } from "./diff-view.js";
export { patchOf } from "./patch.js";
