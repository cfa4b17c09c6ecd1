import { ProtocolError, RpcCode, type SettingsParams } from "@daemon-sdk/protocol";
import type { AgentAbout } from "./handshake.js";
import type { JsonRpcPeer } from "./json-rpc-peer.js";
import type { SessionReport } from "./readers/index.js";
import type { OptionCall, SessionOptions } from "./session-options.js";

/** Options of {@link SessionCalls}. */
export interface SessionCallsOptions {
  readonly peer: JsonRpcPeer;
  readonly report: SessionReport;
  about(): AgentAbout | undefined;
  agentSessionId(): string;
  options(): SessionOptions;
  cwd(): string;
  /** The options have changed by a call of ours. */
  onOptions(): void;
}

type Params = Readonly<Record<string, unknown>>;
type Result = Record<string, unknown>;

/**
 * The session methods of our wire that an ACP agent can serve; every other one rejects with METHOD_NOT_FOUND, as an agent on our
 * own wire does that does not know it (docs/wire/acp.md#session-calls).
 */
export class SessionCalls {
  readonly #options: SessionCallsOptions;

  constructor(options: SessionCallsOptions) {
    this.#options = options;
  }

  async call(method: string, params: Params, timeoutMs: number): Promise<Result> {
    switch (method) {
      case "update_session_settings":
        await this.apply(this.#options.options().callsFor(params as SettingsParams), timeoutMs);
        return {};
      case "rename_session":
        return this.#rename(params, timeoutMs);
      case "fork_session":
        return this.#fork(timeoutMs);
      case "list_commands":
        return { commands: [...this.#options.report.commands] };
      case "get_context_breakdown":
        return { ...this.#options.report.contextUsage };
      default:
        throw notOffered(method);
    }
  }

  /** Sets options one after the other; an agent that refuses one rejects the call. */
  async apply(calls: readonly OptionCall[], timeoutMs: number): Promise<void> {
    const { peer, options, agentSessionId, onOptions } = this.#options;
    for (const { method, params } of calls) {
      const answer = await peer.call(method, { sessionId: agentSessionId(), ...params }, { timeoutMs });
      const id = params.configId ?? (method === "session/set_mode" ? "mode" : "model");
      const value = params.value ?? params.modeId ?? params.modelId;
      const isListed = typeof answer === "object" && answer !== null && "configOptions" in answer;
      if (isListed) options().replace(answer.configOptions);
      else options().changed(String(id), value as string | boolean);
    }
    if (calls.length > 0) onOptions();
  }

  async #rename({ title }: Params, timeoutMs: number): Promise<Result> {
    if (this.#offers("title")) await this.#call("session/set_title", { title }, timeoutMs);
    return {};
  }

  async #fork(timeoutMs: number): Promise<Result> {
    if (!this.#offers("fork")) throw notOffered("fork_session");
    const answer = await this.#call("session/fork", { cwd: this.#options.cwd(), mcpServers: [] }, timeoutMs);
    const { sessionId } = answer as Result;
    return { newSessionId: sessionId };
  }

  #call(method: string, params: object, timeoutMs: number): Promise<unknown> {
    return this.#options.peer.call(method, { sessionId: this.#options.agentSessionId(), ...params }, { timeoutMs });
  }

  #offers(capability: string): boolean {
    const { sessionCapabilities } = this.#options.about()?.capabilities ?? {};
    return Boolean((sessionCapabilities as Params | undefined)?.[capability]);
  }
}

function notOffered(method: string): ProtocolError {
  return new ProtocolError("METHOD_NOT_FOUND", `This agent does not offer ${method}.`, {
    rpcCode: RpcCode.methodNotFound,
  });
}
