export { askUser } from "./ask-user.js";
export { listDirectory } from "./list-directory.js";
export { readTextFile } from "./read-file.js";
export { runCommand } from "./run-command.js";
export { searchFiles } from "./search-files.js";
export type { ToolUse } from "./tool.js";
export { writeTextFile } from "./write-file.js";
