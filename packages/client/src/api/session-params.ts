import type { AddUserMessageParams, InitializeSessionParams } from "@daemon-sdk/protocol";
import { SETTING_NAMES, withoutUndefined } from "@daemon-sdk/protocol";
import type { SendOptions } from "../stream/index.js";
import type { DaemonSessionOptions } from "./session-options.js";

/** Options that are sent unchanged, under their own names. */
const PASSED_ON = [
  "sessionId",
  ...SETTING_NAMES,
  "mcpServers",
  "sessionSource",
  "systemPrompt",
  "systemPromptOverride",
  "disableBuiltinSkills",
  "agent",
  "env",
] as const satisfies readonly (keyof DaemonSessionOptions)[];

/**
 * Params of `initialize_session` for the options of `createSession`, with the defaults the original sends
 * (docs/wire/session.md#start-of-a-session).
 */
export function initializeParams(options: DaemonSessionOptions): Omit<InitializeSessionParams, "token"> {
  const passedOn = Object.fromEntries(
    PASSED_ON.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  return {
    ...options.agentParams,
    ...passedOn,
    machineId: "default",
    cwd: options.cwd ?? ".",
    tags: [...(options.tags ?? []), { name: "sdk", metadata: { language: "typescript" } }],
  };
}

/** Params of `add_user_message`, without the ids. */
export function promptParams(
  text: string,
  { images, files }: SendOptions,
  outputFormat: AddUserMessageParams["outputFormat"],
): Omit<AddUserMessageParams, "sessionId"> {
  return {
    text,
    ...withoutUndefined({ images, files, outputFormat }),
  };
}
