export { AcpAgent } from "./acp/index.js";
export { StdioTransport } from "./stdio-transport.js";
export { StreamJsonrpcAgent } from "./stream-jsonrpc.js";
