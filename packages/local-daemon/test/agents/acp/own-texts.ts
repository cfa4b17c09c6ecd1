/** The params of one `session/update`. */
export type RecordedUpdate = Readonly<Record<string, unknown>>;

/** Texts that are none of the model, by agent: retries, and what pi says at its start. */
const OWN_TEXTS: Readonly<Record<string, RegExp>> = {
  pi: /^(?:pi v[\d.]+\n---\n|Retrying \(.*\)\.\.\.|Retry finished, resuming\.)$/u,
  copilot: /^Info: .*Retrying\.\.\.$/u,
};

/**
 * The updates of an agent without the chunks that are its own. Codex says why its model failed in a chunk after the report that it
 * did; such a chunk has no `messageId`.
 */
export function modelUpdates<Update extends RecordedUpdate>(agent: string, updates: readonly Update[]): Update[] {
  let hasFailed = false;
  return updates.filter((update) => {
    const status = JSON.stringify(update._meta ?? {});
    if (status.includes('"threadStatus"')) hasFailed = status.includes('"systemError"');
    if (update.sessionUpdate !== "agent_message_chunk") return true;
    const text = (update.content as { text?: string } | undefined)?.text ?? "";
    return !hasFailed && OWN_TEXTS[agent]?.test(text) !== true;
  });
}
