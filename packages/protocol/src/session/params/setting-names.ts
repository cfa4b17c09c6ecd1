import type { SettingsParams } from "./calls.js";

/**
 * Names of all settings that a session can start with or be switched to
 * (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#session-calls).
 */
export const SETTING_NAMES = [
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
