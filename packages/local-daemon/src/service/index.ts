export {
  installService,
  type RunCommand,
  runCommand,
  type ServiceManager,
  serviceManager,
  serviceStatus,
  uninstallService,
} from "./service-manager.js";
export { serviceProgram } from "./service-program.js";
