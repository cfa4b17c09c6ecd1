import { type AvailableModel, isRecord, type SettingsParams } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";

/** One choice that an agent offers for a session, as clients get it in `agentOptions`. */
export interface AgentOption {
  readonly id: string;
  readonly name: string;
  readonly category?: string;
  readonly value: string | boolean;
  /** Absent for an option that is true or false. */
  readonly values?: readonly { readonly value: string; readonly name: string }[];
}

/** How a value of an option is set: the agent's method and the params beside `sessionId`. */
export interface OptionCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Ids of the options that are made from an older agent's `modes` and `models`. */
const MODE_OPTION = "mode";
const MODEL_OPTION = "model";
/** `typedOptions` are those of version 2, whose values are set with their type. */
type Generation = "configOptions" | "typedOptions" | "legacy";

/**
 * Modes, models and options of an agent in one list, whichever generation of the protocol the agent has
 * (docs/wire/acp.md#options): `configOptions`, else `modes` and `models`. In version 2 an option's id is its `configId`.
 */
export class SessionOptions {
  #options: readonly AgentOption[] = [];
  #generation: Generation = "legacy";

  /** Reads the answer to `session/new`, `load` or `resume`; null and absent keys mean no options. */
  static from(answer: unknown): SessionOptions {
    const options = new SessionOptions();
    if (isRecord(answer)) options.#read(answer);
    return options;
  }

  get list(): readonly AgentOption[] {
    return this.#options;
  }

  /** Takes a list that replaces the former one. True when a value or the list has changed. */
  replace(configOptions: unknown): boolean {
    const before = JSON.stringify(this.#options);
    this.#read({ configOptions });
    return JSON.stringify(this.#options) !== before;
  }

  /** Takes a changed value. True when it is another one. */
  changed(id: string, value: string | boolean): boolean {
    const option = this.#options.find((one) => one.id === id);
    if (option === undefined || option.value === value) return false;
    this.#options = this.#options.map((one) => (one === option ? { ...one, value } : one));
    return true;
  }

  /** The mode by which an older agent reports its change. */
  modeChanged(value: string): boolean {
    return this.changed(this.#ofCategory("mode")?.id ?? MODE_OPTION, value);
  }

  get modelId(): string {
    const value = this.#ofCategory("model")?.value;
    return typeof value === "string" ? value : "default";
  }

  get reasoningEffort(): string | undefined {
    return textOf(this.#ofCategory("thought_level")?.value);
  }

  get models(): readonly AvailableModel[] {
    const { values } = this.#ofCategory("model") ?? {};
    return (values ?? []).map(({ value, name }) => ({ id: value, displayName: name }));
  }

  /** Id of the mode in which the agent plans and changes nothing; undefined when it has none. */
  get planMode(): string | undefined {
    return this.#ofCategory("mode")?.values?.find(({ value }) => value === "plan")?.value;
  }

  /** The calls that bring the agent to these settings; keys without an option are not the agent's. */
  callsFor(settings: SettingsParams & { readonly agentOptions?: unknown }): OptionCall[] {
    const wanted: [AgentOption | undefined, unknown][] = [
      [this.#ofCategory("model"), settings.modelId === "default" ? undefined : settings.modelId],
      [this.#ofCategory("thought_level"), settings.reasoningEffort],
    ];
    if (settings.interactionMode === "spec") wanted.push([this.#ofCategory("mode"), this.planMode]);
    const more = isRecord(settings.agentOptions) ? Object.entries(settings.agentOptions) : [];
    for (const [id, value] of more) wanted.push([this.#options.find((one) => one.id === id), value]);
    return wanted.flatMap(([option, value]) => (option === undefined ? [] : this.#callFor(option, value)));
  }

  /** Puts the agent into a mode; no call when it is in it, or has no such mode. */
  callForMode(mode: string): OptionCall[] {
    const option = this.#ofCategory("mode");
    return option === undefined ? [] : this.#callFor(option, mode);
  }

  #callFor(option: AgentOption, value: unknown): OptionCall[] {
    if (typeof value !== "string" && typeof value !== "boolean") return [];
    if (value === option.value || !accepts(option, value)) return [];
    if (this.#generation !== "legacy") {
      const typeOfText = this.#generation === "typedOptions" ? { type: "id" } : {};
      const type = typeof value === "boolean" ? { type: "boolean" } : typeOfText;
      return [{ method: "session/set_config_option", params: { configId: option.id, value, ...type } }];
    }
    if (option.id === MODE_OPTION) return [{ method: "session/set_mode", params: { modeId: value } }];
    return [{ method: "session/set_model", params: { modelId: value } }];
  }

  #ofCategory(category: string): AgentOption | undefined {
    return this.#options.find((option) => option.category === category);
  }

  #read({ configOptions, modes, models }: Record<string, unknown>): void {
    const given = recordsOf(configOptions);
    const read = given.flatMap(readOption);
    if (read.length > 0) {
      this.#generation = given.some(({ configId }) => configId !== undefined) ? "typedOptions" : "configOptions";
      this.#options = read;
      return;
    }
    this.#options = [...readModes(modes), ...readModels(models)];
  }
}

function accepts({ values }: AgentOption, value: string | boolean): boolean {
  return values === undefined ? typeof value === "boolean" : values.some((one) => one.value === value);
}

function readOption(option: Record<string, unknown>): AgentOption[] {
  const { id: givenId, configId, name, category, currentValue } = option;
  const id = givenId ?? configId;
  if (typeof id !== "string" || (typeof currentValue !== "string" && typeof currentValue !== "boolean")) return [];
  const named = {
    id,
    name: textOf(name) ?? id,
    ...(typeof category === "string" && { category }),
    value: currentValue,
  };
  return [typeof currentValue === "boolean" ? named : { ...named, values: readValues(option.options) }];
}

/** Values stand in a flat list or in groups. */
function readValues(options: unknown): { value: string; name: string }[] {
  return recordsOf(options).flatMap(({ value, name, options: grouped }) => {
    if (grouped !== undefined) return readValues(grouped);
    return typeof value === "string" ? [{ value, name: textOf(name) ?? value }] : [];
  });
}

function readModes(modes: unknown): AgentOption[] {
  if (!isRecord(modes) || typeof modes.currentModeId !== "string") return [];
  const values = recordsOf(modes.availableModes).flatMap(({ id, name }) =>
    typeof id === "string" ? [{ value: id, name: textOf(name) ?? id }] : [],
  );
  return [{ id: MODE_OPTION, name: "Mode", category: "mode", value: modes.currentModeId, values }];
}

function readModels(models: unknown): AgentOption[] {
  if (!isRecord(models) || typeof models.currentModelId !== "string") return [];
  const values = recordsOf(models.availableModels).flatMap(({ modelId, name }) =>
    typeof modelId === "string" ? [{ value: modelId, name: textOf(name) ?? modelId }] : [],
  );
  return [{ id: MODEL_OPTION, name: "Model", category: "model", value: models.currentModelId, values }];
}
