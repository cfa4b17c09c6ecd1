/**
 * The workspace agent: a whole agent, small enough to read, that works on real files without a model or a network.
 *
 * It is started once per session, speaks the session wire on stdin and stdout (docs/agents.md), and ends when stdin does.
 */
import { encodeFailure, FACTORY_PROTOCOL_VERSION, ProtocolEngine, RpcCode } from "@daemon-sdk/protocol";
import { AGENT_MARKERS, StdioTransport } from "../agents/index.js";
import { ConversationStore } from "./conversation-store.js";
import { SessionMethods } from "./session-methods.js";
import { SessionOutput } from "./session-output.js";

/** From the end of stdin to the end of the process, whatever still runs. */
const EXIT_WITHIN_MS = 1_000;

function main(): void {
  const transport = new StdioTransport({ input: process.stdin, output: process.stdout });
  const engine = new ProtocolEngine(transport, { prefix: "droid", protocolVersion: FACTORY_PROTOCOL_VERSION });
  const output = new SessionOutput(transport);
  const store = new ConversationStore(process.env[AGENT_MARKERS.state]);
  const onClosed = () => {
    engine.close();
    // Nothing more is read: the end of the input, and with it of the process, is our own doing here.
    process.stdin.destroy();
  };
  const methods = new SessionMethods({ engine, output, store, onClosed });

  engine.onRequest = (request) => methods.handle(request);
  engine.onBadFrame = ({ message, type }) => {
    if (type === "response" || type === "notification") return;
    transport.send(encodeFailure(null, { code: RpcCode.parseError, message }, FACTORY_PROTOCOL_VERSION));
  };
  // Nothing holds the process after this: it ends when the turn has stopped and the conversation is saved.
  engine.onClose = () => {
    methods.end();
    setTimeout(() => process.exit(0), EXIT_WITHIN_MS).unref();
  };
}

main();
