/**
 * Longest strings and lists in the params of the session wire: the one table that the schemas and docs/protocol.md §1 use.
 *
 * Lengths are in UTF-16 units. Names that end in `JsonChars` bound the JSON text of a whole value. Strings that the table does
 * not bound (the text of a prompt, the data of its images and files) are bounded by the message that carries them.
 */
export const TEXT_LIMITS = {
  /** Ids and cursors, the id of a JSON-RPC request included: each is stored, and sent back in answers and notifications. */
  idChars: 256,
  /** Names: of agents, models, tools, servers, roles, tags, callers, media types. */
  nameChars: 256,
  /** Title of a session: every list of sessions holds it. */
  titleChars: 1_000,
  /** Paths, names of files, URLs: Linux takes no longer path. */
  pathChars: 4_096,
  /** Keys, tokens, proofs, tickets. */
  credentialChars: 8_192,
  /** What a person writes beside a prompt: a comment, an answer, a reason, instructions for a summary. */
  commentChars: 64 * 1024,
  /** A document that a person edited before approval. */
  documentChars: 1024 * 1024,
  /** One argument, variable or header of an MCP server: Linux starts no program with a longer argument. */
  argumentChars: 128 * 1024,
  /** Longest query of `search_sessions`. */
  searchQueryChars: 1_000,
  /** All tags of one session: every list of sessions holds them. */
  tagsJsonChars: 16 * 1024,
  /** All MCP servers that a session starts with. */
  mcpServersJsonChars: 256 * 1024,
  /** The schema of an output format. */
  outputFormatJsonChars: 256 * 1024,
  /** What a client states about itself when it authenticates, and where a session comes from. */
  metadataJsonChars: 16 * 1024,
  /** Names in one list of tools; questions answered in one answer; arguments, variables and headers of an MCP server. */
  listedItems: 1_000,
  /** Files that one rewind restores or deletes. */
  listedFiles: 10_000,
} as const;

/** A bound of {@link TEXT_LIMITS}, by its name. */
export type TextBound = keyof typeof TEXT_LIMITS;
