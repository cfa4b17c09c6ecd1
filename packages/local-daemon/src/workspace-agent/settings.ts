import type { SessionSettings } from "@daemon-sdk/protocol";
import type { RawParams } from "./params.js";

const isText = (value: unknown): value is string => typeof value === "string";
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const oneOf =
  (...values: string[]) =>
  (value: unknown) =>
    isText(value) && values.includes(value);

/** The settings that may be changed, and what each may be. A value that may not be is ignored, as the real agent does. */
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

/** Takes over what is a valid setting among the params; the rest, the session's id included, is left alone. */
export function applySettings(settings: SessionSettings, params: RawParams): void {
  for (const [name, isValid] of SETTINGS) {
    if (isValid(params[name])) settings[name] = params[name];
  }
}
