export { addAnswerCommand } from "./answer-command.js";
export { addArchiveCommand, addCloseCommand, addForkCommand, addInterruptCommand } from "./change-commands.js";
export { addDeleteCommand } from "./delete-command.js";
export { addFollowCommand } from "./follow-command.js";
export { addInboxCommand, requestText } from "./inbox-command.js";
export { addRunCommand } from "./run-command.js";
export { addSendCommand } from "./send-command.js";
export { addSessionsCommand } from "./sessions-command.js";
export { addShowCommand, printMessage } from "./show-command.js";
