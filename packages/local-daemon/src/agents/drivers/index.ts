export { AcpAgent, type StartCommand, type TerminalCommand } from "./acp/index.js";
export { type EnvelopeHead, envelopeHead } from "./envelope-head.js";
export { StdioTransport } from "./stdio-transport.js";
export { StreamJsonrpcAgent } from "./stream-jsonrpc.js";
