import { METHODS, OTHER_METHOD_NAMES, ProtocolError, RpcCode, sessionId } from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS, otherParamsSchema } from "@daemon-sdk/protocol/schema";
import type { CopiedMessages, Session } from "../../sessions/index.js";
import { type Answer, type Call, type Handler, handle } from "./handler.js";

/** Methods of the table that only the agent can answer. */
const PASSED_ON = [
  "getContextBreakdown",
  "getRewindInfo",
  "addMcpServer",
  "removeMcpServer",
  "toggleMcpServer",
  "listMcpServers",
  "listMcpTools",
  "authenticateMcpServer",
  "listSkills",
] as const satisfies readonly (keyof typeof METHODS)[];

/**
 * What the agent answers, started for it when there is none (docs/wire/session.md#session-calls,
 * docs/wire/session.md#mcp-and-skills).
 */
export const AGENT_HANDLERS: readonly Handler[] = [
  handle("forkSession", async (params, call) => {
    const { sessions } = call;
    const source = await sessions.load(params.sessionId);
    const result = await callAgent(source, "fork_session", { ...params }, METHODS.forkSession.timeoutMs);
    const newSessionId = await adopt(call, source, result, params.title);
    return { result: { ...result, newSessionId } };
  }),

  handle("compactSession", async (params, call) => {
    const { sessions } = call;
    const source = await sessions.load(params.sessionId);
    const result = await callAgent(source, "compact_session", { ...params }, METHODS.compactSession.timeoutMs);
    const removedCount = typeof result.removedCount === "number" ? result.removedCount : 0;
    // The agent sends the summary when it opens the new session; the messages that it kept are known here.
    const newSessionId = await adopt(call, source, result, source.row.title, { skip: removedCount });
    return { result: { ...result, newSessionId, removedCount } };
  }),

  handle("executeRewind", async (params, call) => {
    const { sessions } = call;
    const source = await sessions.load(params.sessionId);
    // Of files, the agent restores and deletes those that the client names, and asks nobody.
    if (params.filesToRestore.length + params.filesToDelete.length > 0) {
      call.host.rules.checkCall(source.row.owner, "rewind of files");
    }
    const result = await callAgent(source, "execute_rewind", { ...params }, METHODS.executeRewind.timeoutMs);
    const newSessionId = await adopt(call, source, result, params.forkTitle, { until: params.messageId });
    const count = (name: string) => (typeof result[name] === "number" ? result[name] : 0);
    return {
      result: {
        ...result,
        newSessionId,
        restoredCount: count("restoredCount"),
        deletedCount: count("deletedCount"),
        failedRestoreCount: count("failedRestoreCount"),
        failedDeleteCount: count("failedDeleteCount"),
      },
    };
  }),

  ...PASSED_ON.map(
    (key): Handler => ({
      name: METHODS[key].name,
      params: METHOD_SCHEMAS[key].params,
      run: (params, call) => passOn(METHODS[key].name, params as NamedSession, call, METHODS[key].timeoutMs),
    }),
  ),

  // Not in our table, but a session's agent may know them; it answers -32601 itself when it does not.
  ...OTHER_METHOD_NAMES.map(
    (name): Handler => ({
      name,
      params: otherParamsSchema,
      run: (params, call) => {
        const { sessionId: id } = params as Partial<NamedSession>;
        if (id !== undefined && id !== "") return passOn(name, params as NamedSession, call, OTHER_TIMEOUT_MS);
        throw new ProtocolError("METHOD_NOT_FOUND", `This daemon does not offer daemon.${name} without a session.`, {
          rpcCode: RpcCode.methodNotFound,
        });
      },
    }),
  ),
];

type NamedSession = Record<string, unknown> & { sessionId: string };

/** Some of them move files or ask a model (docs/wire/session.md#time-outs); the client gives up before us. */
const OTHER_TIMEOUT_MS = METHODS.authenticateMcpServer.timeoutMs;

async function passOn(name: string, params: NamedSession, call: Call, timeoutMs: number): Promise<Answer> {
  const session = await call.sessions.load(params.sessionId);
  call.host.rules.checkCall(session.row.owner, name);
  return { result: await callAgent(session, name, params, timeoutMs) };
}

/** Calls the session's agent. An id in its answer is its own for the session, and becomes the one that clients know. */
export async function callAgent(
  session: Session,
  method: string,
  params: Record<string, unknown>,
  timeoutMs: number,
): Promise<Record<string, unknown>> {
  const result = await session.agent.call(method, params, timeoutMs);
  return typeof result.sessionId === "string" ? { ...result, sessionId: session.id } : result;
}

/** The agent made a new conversation out of an old one; it becomes a session of its own. */
async function adopt(
  { host, sessions }: Call,
  source: Session,
  result: Record<string, unknown>,
  title: string | undefined,
  messages?: CopiedMessages,
): Promise<string> {
  const { newSessionId } = result;
  if (typeof newSessionId !== "string") {
    throw new ProtocolError("INVALID_RESULT", "The agent did not name the new session.", {
      rpcCode: RpcCode.internalError,
    });
  }
  const now = host.services.now();
  const id = sessionId(newSessionId);
  const row = {
    ...source.row,
    id,
    agentSessionId: newSessionId,
    title: title ?? source.row.title,
    tokenUsage: undefined,
    createdAt: now,
    updatedAt: now,
    archivedAt: undefined,
    closedAt: undefined,
  };
  await sessions.adopt(row, source.id, messages);
  return newSessionId;
}
