export { StreamTransport, type StreamTransportOptions } from "./stream-transport.js";
