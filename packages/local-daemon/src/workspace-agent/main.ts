/**
 * The workspace agent: a complete small agent that works on real files without a model or a network.
 *
 * One process serves one session over the wire of docs/agents.md on stdin and stdout, and exits when stdin ends.
 */
import { encodeFailure, FACTORY_PROTOCOL_VERSION, ProtocolEngine, RpcCode } from "@daemon-sdk/protocol";
import { AGENT_MARKERS, StdioTransport, stateDirOfAgent } from "../agents/index.js";
import { ConversationStore } from "./conversation-store.js";
import { SessionMethods } from "./session-methods.js";
import { SessionOutput } from "./session-output.js";

/** Longest time from the end of stdin to the exit, even while a turn runs. */
const EXIT_WITHIN_MS = 1_000;

function main(): void {
  const transport = new StdioTransport({ input: process.stdin, output: process.stdout });
  const engine = new ProtocolEngine(transport, { prefix: "droid", protocolVersion: FACTORY_PROTOCOL_VERSION });
  const output = new SessionOutput(transport);
  const agentStateDir = process.env[AGENT_MARKERS.state];
  const store = new ConversationStore(agentStateDir);
  // The daemon's credentials and everybody's conversations are there.
  const closed = agentStateDir === undefined ? undefined : stateDirOfAgent(agentStateDir);
  const onClosed = () => {
    engine.close();
    // Stops reading, which ends the input and thereby the process.
    process.stdin.destroy();
  };
  const methods = new SessionMethods({ engine, output, store, closed, onClosed });

  engine.onRequest = (request) => methods.handle(request);
  engine.onBadFrame = ({ message, type }) => {
    if (type === "response" || type === "notification") return;
    transport.send(encodeFailure(null, { code: RpcCode.parseError, message }, FACTORY_PROTOCOL_VERSION));
  };
  // After this the process exits by itself, when the turn has stopped and the conversation is saved.
  engine.onClose = () => {
    methods.end();
    setTimeout(() => process.exit(0), EXIT_WITHIN_MS).unref();
  };
}

main();
