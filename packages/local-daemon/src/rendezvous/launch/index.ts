export { type DaemonLaunch, type LaunchExit, type Launched, launchDaemon, launchDetached } from "./launch.js";
export { LaunchTurn } from "./launch-turn.js";
export { SharedStart } from "./shared-start.js";
