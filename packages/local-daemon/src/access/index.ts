export { Credentials } from "./credentials.js";
export { PERSON, type Principal } from "./principal.js";
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
export { Tickets } from "./tickets.js";
