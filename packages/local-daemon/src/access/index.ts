export { checkKeys } from "./check-keys.js";
export { Credentials } from "./credentials.js";
export { keyIdOf } from "./key-id.js";
export {
  allowsAutonomy,
  approves,
  type Bound,
  type ConfiguredKey,
  isConfined,
  KeyPolicies,
  type KeyPolicy,
  type KeyQuotas,
  readsMetrics,
} from "./key-policy.js";
export { checkPrincipal, PERSON, type Principal } from "./principal.js";
export { PrincipalTurns } from "./principal-turns.js";
export {
  createNonce,
  createProof,
  isNonce,
  PROOF_HEADERS,
  type ProofContext,
  tcpAuthority,
  UNIX_AUTHORITY,
  verifyProof,
} from "./proof.js";
export { secretsEqual } from "./secrets.js";
export { Tickets } from "./tickets.js";
