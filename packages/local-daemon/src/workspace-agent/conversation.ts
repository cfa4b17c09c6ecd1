import {
  type McpServerConfig,
  type MessageBlock,
  newId,
  type SessionMessage,
  type SessionSettings,
  type TokenUsage,
} from "@daemon-sdk/protocol";

/** The only listed model; the agent uses no real one. Any other name is accepted and has no effect. */
export const MODEL = { id: "workspace-agent", displayName: "Workspace agent (offline)" } as const;

/** Characters that count as one token; real models are close to that for English. */
const CHARS_PER_TOKEN = 4;
/** Longest title made from a prompt. */
const MAX_TITLE_CHARS = 60;

/** A conversation in the form that is stored on disk. */
export interface ConversationData {
  readonly id: string;
  cwd: string;
  title?: string;
  settings: SessionSettings;
  mcpServers: McpServerConfig[];
  disabledMcpServers: string[];
  messages: SessionMessage[];
  tokenUsage: TokenUsage;
}

/** The agent's data of one session, without storage and output. */
export class Conversation {
  readonly data: ConversationData;

  constructor(data: ConversationData) {
    this.data = data;
  }

  /** Creates an empty conversation. */
  static create(id: string, cwd: string): Conversation {
    return new Conversation({
      id,
      cwd,
      settings: { modelId: MODEL.id, reasoningEffort: "none", interactionMode: "auto", autonomyLevel: "off" },
      mcpServers: [],
      disabledMcpServers: [],
      messages: [],
      tokenUsage: { inputTokens: 0, outputTokens: 0, cacheCreationTokens: 0, cacheReadTokens: 0, thinkingTokens: 0 },
    });
  }

  get id(): string {
    return this.data.id;
  }

  /** Adds a message after the last one. */
  add(message: Pick<SessionMessage, "id" | "role" | "content"> & Partial<SessionMessage>): SessionMessage {
    const now = Date.now();
    const parentId = this.data.messages.at(-1)?.id;
    const added = { createdAt: now, updatedAt: now, ...(parentId !== undefined && { parentId }), ...message };
    this.data.messages.push(added);
    this.#count(added);
    return added;
  }

  /** Texts of the user's messages, oldest first. */
  get prompts(): string[] {
    return this.data.messages.filter(({ role }) => role === "user").map(({ content }) => textOf(content));
  }

  /** Makes a title from the first prompt; undefined if the conversation has a title. */
  titleFrom(prompt: string): string | undefined {
    if (this.data.title !== undefined) return undefined;
    const line = prompt.trim().split("\n")[0] ?? "";
    this.data.title = line.length > MAX_TITLE_CHARS ? `${line.slice(0, MAX_TITLE_CHARS - 1)}…` : line;
    return this.data.title;
  }

  /** A copy under a new id, with the messages before `beforeMessageId`, or with all. */
  fork(title: string | undefined, beforeMessageId?: string): Conversation {
    const copy = structuredClone(this.data);
    const end = copy.messages.findIndex(({ id }) => id === beforeMessageId);
    const messages = end === -1 ? copy.messages : copy.messages.slice(0, end);
    return new Conversation({ ...copy, id: newId(), messages, ...(title !== undefined && { title }) });
  }

  /** A copy under a new id with one message: a summary of all. */
  compact(instructions: string | undefined): Conversation {
    const copy = this.fork(undefined);
    const lines = this.prompts.map((prompt) => `- ${prompt}`);
    const note = instructions === undefined ? "" : ` (${instructions})`;
    copy.data.messages = [];
    const text = `Summary of ${this.data.messages.length} messages${note}. Prompts so far:\n${lines.join("\n")}`;
    copy.add({ id: newId(), role: "user", content: [{ type: "text", text }], visibility: "llm_only" });
    return copy;
  }

  /** Estimate of the messages' tokens for a model. */
  get contextTokens(): number {
    return this.data.messages.reduce((sum, { content }) => sum + tokensOf(content), 0);
  }

  #count({ role, content }: SessionMessage): void {
    const usage = this.data.tokenUsage;
    if (role === "assistant") usage.outputTokens += tokensOf(content);
    else usage.inputTokens += tokensOf(content);
  }
}

/** All text blocks of a message, joined. */
export function textOf(content: readonly MessageBlock[]): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

function tokensOf(content: readonly MessageBlock[]): number {
  return Math.ceil(JSON.stringify(content).length / CHARS_PER_TOKEN);
}
