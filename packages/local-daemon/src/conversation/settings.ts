import type { SessionSettings, SettingsParams } from "@daemon-sdk/protocol";

/**
 * Settings that a session can start with or be switched to (docs/wire/session.md#start-of-a-session,
 * docs/wire/session.md#session-calls).
 */
const NAMES = [
  "modelId",
  "reasoningEffort",
  "interactionMode",
  "autonomyLevel",
  "specModeModelId",
  "specModeReasoningEffort",
  "tags",
  "enabledToolIds",
  "disabledToolIds",
  "compactionTokenLimit",
  "compactionThresholdCheckEnabled",
] as const satisfies readonly (keyof SettingsParams)[];

/** The settings among what was given, without anything else. */
export function pickSettings(given: object): SettingsParams {
  const entries = NAMES.map((name) => [name, Reflect.get(given, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A session's settings as its agent is asked for them: what the agent reported beside them stays out. */
export function agentSettings(settings: SessionSettings): SettingsParams {
  const { modelId, ...picked } = pickSettings(settings);
  // Before an agent ever reported one there is none to ask for.
  return modelId === undefined || modelId === "" ? picked : { modelId, ...picked };
}
