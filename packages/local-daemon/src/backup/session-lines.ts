import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import type { PendingRequestRow, SessionRow, TurnRow } from "../storage/index.js";

/** Counts the formats of exported sessions; a larger one is of a later version. */
export const SESSION_FORMAT = 1;

/** One line of an exported session. The first one is `session`; then come messages, turns, requests and entries, each kind in order. */
export type SessionLine =
  | {
      readonly type: "session";
      readonly format: number;
      /** Version of the program that wrote it. */
      readonly version: string;
      readonly exportedAt: string;
      /** Without its MCP servers, which hold secrets. */
      readonly session: Omit<SessionRow, "mcpServers">;
      /** Names of the MCP servers that were left out. */
      readonly mcpServers?: readonly string[];
    }
  | { readonly type: "message"; readonly message: SessionMessage }
  | {
      readonly type: "turn";
      readonly turn: TurnRow;
      /** JSON of the prompt's params. */
      readonly prompt?: string;
      /** A large prompt: its parts, in base64. */
      readonly promptParts?: readonly string[];
    }
  | { readonly type: "request"; readonly request: PendingRequestRow }
  /** Frames of the journal, as they were sent. */
  | {
      readonly type: "entries";
      readonly sessionId: SessionId;
      readonly epoch: number;
      readonly firstSeq: number;
      readonly createdAt: number;
      readonly frames: readonly string[];
    };
