import { isRecord, ProtocolError } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";
import { type PromptCapabilities, promptCapabilities } from "./prompt-content.js";

/** The versions of the protocol that the driver speaks (docs/wire/acp.md#wire). */
export type AcpVersion = 1 | 2;

/** What the agent said of itself in `initialize`. */
export interface AgentAbout {
  /** The version that it speaks from now on. */
  readonly protocolVersion: AcpVersion;
  /** By the names of version 1. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly prompt: PromptCapabilities;
  readonly authMethods: readonly unknown[];
  /** What the agent's program calls itself, where it states that. */
  readonly name: string | undefined;
  /** Version of the agent's program, where it states one. */
  readonly version: string | undefined;
}

/** What the client offers by configuration only: the agent is on the daemon's machine, so it can do both by itself. */
export interface ClientOffers {
  readonly fs: boolean;
  readonly terminal: boolean;
}

/** What version 1 wants to be told of. */
const CLIENT_CAPABILITIES = {
  elicitation: { form: {} },
  session: { configOptions: { boolean: {} }, notices: {}, compaction: {} },
};

/** The agent speaks no version at or below the one that was asked for. */
const VERSION_REFUSED = -32_022;

/** Params of `initialize`. `version` is that of this package. */
export function initializeParams(protocolVersion: AcpVersion, version: string, { fs, terminal }: ClientOffers): object {
  const info = { name: "daemon-sdk", title: "daemon-sdk", version };
  if (protocolVersion === 1) {
    const offers = { fs: { readTextFile: fs, writeTextFile: fs }, terminal };
    return { protocolVersion, clientCapabilities: { ...offers, ...CLIENT_CAPABILITIES }, clientInfo: info };
  }
  // Version 2 has no files and no terminals of the client; notices and options of every type are always taken.
  return { protocolVersion, capabilities: { elicitation: { form: {} } }, info };
}

/** Reads the answer to `initialize`. Undefined for a version that the driver does not speak. */
export function readAbout(answer: unknown): AgentAbout | undefined {
  const read = isRecord(answer) ? answer : {};
  const { protocolVersion } = read;
  if (protocolVersion !== 1 && protocolVersion !== 2) return undefined;
  const isFirst = protocolVersion === 1;
  const capabilities = isFirst ? recordOf(read.agentCapabilities) : firstCapabilities(recordOf(read.capabilities));
  const info = recordOf(isFirst ? read.agentInfo : read.info);
  return {
    protocolVersion,
    capabilities,
    prompt: promptCapabilities(capabilities),
    authMethods: recordsOf(read.authMethods),
    name: textOf(info.name),
    version: textOf(info.version),
  };
}

/** Capabilities of version 2 by the names of version 1. To resume is part of every agent that has sessions. */
function firstCapabilities({ session }: Record<string, unknown>): Record<string, unknown> {
  const { prompt, mcp, ...sessionCapabilities } = recordOf(session);
  return {
    promptCapabilities: prompt,
    mcpCapabilities: mcp,
    sessionCapabilities: { ...sessionCapabilities, resume: {} },
  };
}

/** Whether the agent refused `initialize` because of its version. */
export function isVersionRefused(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.rpcCode === VERSION_REFUSED;
}

/** The error for an agent that speaks no version of ours. `said` is its answer, or its refusal. */
export function versionMismatch(agent: string, asked: AcpVersion, said: unknown): ProtocolError {
  const data = said instanceof ProtocolError ? recordOf(said.data).supported : recordOf(said).protocolVersion;
  const theirs = Array.isArray(data) ? data.join(" and ") : String(data);
  const canAsk = asked === 1 && Array.isArray(data) && data.includes(2);
  const way = canAsk
    ? 'Set `"protocolVersion": 2` in its configuration.'
    : `Install a version of the agent that speaks ${asked}.`;
  const message = `Agent "${agent}" speaks version ${theirs} of the Agent Client Protocol, the daemon asked for ${asked}. ${way}`;
  return new ProtocolError("VERSION_MISMATCH", message, said instanceof ProtocolError ? { cause: said } : {});
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
