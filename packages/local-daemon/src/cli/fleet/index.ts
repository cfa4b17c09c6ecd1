export { addFleetCommands } from "./fleet-command.js";
