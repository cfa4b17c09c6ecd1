export { AcpFace } from "./acp-face.js";
export { EditorConnections } from "./editor-connections.js";
export type { EditorOutput } from "./editor-peer.js";
