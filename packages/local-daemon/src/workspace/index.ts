export { isMissing, Workspace } from "./workspace.js";
