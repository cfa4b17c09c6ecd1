export {
  checkEnrolmentKey,
  createFleetKeys,
  type Enrolment,
  type EnrolmentKey,
  type EnrolOptions,
  enrol,
  type FleetKeys,
  type FleetKeysOptions,
  type RevokeOptions,
  revoke,
} from "./enrol/index.js";
