import type { SessionSettings } from "@daemon-sdk/protocol";
import type { RawParams } from "./params.js";

const isText = (value: unknown): value is string => typeof value === "string";
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const oneOf =
  (...values: string[]) =>
  (value: unknown) =>
    isText(value) && values.includes(value);

/** Changeable settings with a check of each value. Invalid values are ignored, as by the real agent. */
const SETTINGS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ["modelId", isText],
  ["reasoningEffort", isText],
  ["interactionMode", oneOf("auto", "spec", "agi", "mission")],
  ["autonomyLevel", oneOf("off", "low", "medium", "high")],
  ["specModeModelId", (value: unknown) => value === null || isText(value)],
  ["specModeReasoningEffort", (value: unknown) => value === null || isText(value)],
  ["enabledToolIds", isTextList],
  ["disabledToolIds", isTextList],
  ["tags", (value: unknown) => Array.isArray(value)],
]);

/** Applies the valid settings among the params. Other params, such as the session's id, are ignored. */
export function applySettings(settings: SessionSettings, params: RawParams): void {
  for (const [name, isValid] of SETTINGS) {
    if (isValid(params[name])) settings[name] = params[name];
  }
}
