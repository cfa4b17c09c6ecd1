import { LIMITS } from "@daemon-sdk/protocol";

/** Notifications that are short by what they mean. Within a text its quotes are escaped, so none is taken for another. */
const SHORT =
  /"type":"(?:session_title_updated|session_working_directory_changed|session_token_usage_changed|droid_working_state_changed)"/;
/** UTF-16 units of a line in which the type of its notification is looked for. */
const HEAD_CHARS = 512;

/** Longest line that is taken whole, by its beginning: of a title nobody needs more than its first words. */
export function maxBytesOfLine(head: string): number | undefined {
  return SHORT.test(head.slice(0, HEAD_CHARS)) ? LIMITS.largeMessageBytes : undefined;
}
