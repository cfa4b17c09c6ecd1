export { HttpRefusal, type Problem, problemResponse } from "./problem.js";
export { STATUS_OF_CODE } from "./status.js";
