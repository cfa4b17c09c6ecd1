export { elicitationAnswer, elicitationForm, questionText } from "./elicitation.js";
export { permissionAnswer, permissionQuestion } from "./permission.js";
export { promptOf } from "./prompt-content.js";
export { AGENT_OPTION, notOffered, SessionChoices } from "./session-choices.js";
export { SessionUpdates } from "./session-updates.js";
export { AcpCode, faultOf, promptAnswer, type TurnEnd } from "./turn-end.js";
