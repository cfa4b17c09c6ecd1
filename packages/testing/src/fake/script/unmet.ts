import { ProtocolError } from "@daemon-sdk/protocol";

const MAX_LINES = 20;
const MAX_CHARACTERS = 300;

/**
 * Fails an expectation. The message states what was expected, and what was received instead.
 *
 * @throws ProtocolError (PROTOCOL_VIOLATION), always
 */
export function unmet(expected: string, kind: string, came: readonly string[]): never {
  const lines = came.slice(-MAX_LINES).map((line, index) => `  ${index + 1}. ${shorten(line)}`);
  const left = came.length > MAX_LINES ? ` (the newest ${MAX_LINES} of ${came.length})` : "";
  const seen = came.length === 0 ? `${kind} that came: none.` : `${kind} that came${left}:\n${lines.join("\n")}`;
  throw new ProtocolError("PROTOCOL_VIOLATION", `Expected ${expected}. ${seen}`);
}

function shorten(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}… (${text.length} characters)` : text;
}
