export { bindTcp } from "./bind.js";
export type { Accepted, AcceptedBytes, AcceptedEditor, MetricsAnswer, MetricsAsker, PageSite } from "./http-front.js";
export { type Listener, type ListenerOptions, openListener } from "./listener.js";
export { parseAllowedHosts, parseAllowedOrigins } from "./origin-check.js";
export type { PendingSocket } from "./pending-sockets.js";
export { readCertificate, type TlsCertificate, type TlsFiles } from "./tls-certificate.js";
