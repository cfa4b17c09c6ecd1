import type { SessionConfigOption, SessionModeState, SessionUpdate } from "@agentclientprotocol/sdk";
import { type AvailableModel, isRecord, RpcCode, RpcFault } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";

/** Id of the option that chooses the agent of the editor's next sessions. */
export const AGENT_OPTION = "_agent";

/** What a session may do without a question, for agents that report no options of their own. */
const AUTONOMY = [
  { value: "off", name: "Ask before each change" },
  { value: "low", name: "Ask before commands" },
  { value: "medium", name: "Ask before risky commands" },
  { value: "high", name: "Never ask" },
];

interface Choice {
  readonly id: string;
  readonly name: string;
  readonly category?: string;
  readonly value: string | boolean;
  /** Absent for a choice that is true or false. */
  readonly values?: readonly { readonly value: string; readonly name: string }[];
  /** The setting of ours; absent for one of the agent's own options. */
  readonly setting?: "modelId" | "autonomyLevel";
}

/** Options of {@link SessionChoices}. */
export interface SessionChoicesOptions {
  /** Whether the editor shows options that are true or false. */
  readonly hasBooleans: boolean;
  /** The agents that the daemon offers, and the one of the next session. */
  agents(): { readonly names: readonly string[]; readonly next: string | undefined };
}

/** The settings of one session as config options and modes of ACP, and a choice of the editor as settings of ours. */
export class SessionChoices {
  readonly #options: SessionChoicesOptions;
  #settings: Readonly<Record<string, unknown>> = {};
  #models: readonly AvailableModel[] = [];
  /** JSON of the options and of the mode that the editor has. */
  #sent = { options: "", mode: "" };

  constructor(options: SessionChoicesOptions) {
    this.#options = options;
  }

  /** Takes the settings of a snapshot. */
  reset(settings: object, models: readonly AvailableModel[] = []): void {
    this.#settings = { ...settings };
    this.#models = models;
  }

  /** Takes changed settings. `agentOptions` is the agent's list, or, before its start, the values that were asked for. */
  merge({ agentOptions, ...settings }: Readonly<Record<string, unknown>>): void {
    this.#settings = { ...this.#settings, ...settings };
    if (Array.isArray(agentOptions)) this.#settings = { ...this.#settings, agentOptions };
    else if (isRecord(agentOptions)) {
      const patched = recordsOf(this.#settings.agentOptions).map((option) =>
        Object.hasOwn(agentOptions, String(option.id)) ? { ...option, value: agentOptions[String(option.id)] } : option,
      );
      this.#settings = { ...this.#settings, agentOptions: patched };
    }
  }

  /** What an answer that opens a session says of them; it counts as sent. */
  answer(): { configOptions: SessionConfigOption[]; modes?: SessionModeState } {
    const configOptions = this.list();
    const modes = this.#modes();
    this.#sent = { options: JSON.stringify(configOptions), mode: modes?.currentModeId ?? "" };
    return { configOptions, ...(modes !== undefined && { modes }) };
  }

  /** The updates that bring the editor to the present choices; none when it has them. */
  updates(): SessionUpdate[] {
    const before = this.#sent;
    const { configOptions, modes } = this.answer();
    const updates: SessionUpdate[] = [];
    if (this.#sent.options !== before.options) updates.push({ sessionUpdate: "config_option_update", configOptions });
    if (modes !== undefined && modes.currentModeId !== before.mode) {
      updates.push({ sessionUpdate: "current_mode_update", currentModeId: modes.currentModeId });
    }
    return updates;
  }

  /** All options, with the agent of the next session where there is a choice. */
  list(): SessionConfigOption[] {
    const shown = this.#choices().filter(({ value }) => typeof value === "string" || this.#options.hasBooleans);
    return [...this.#agentOption(), ...shown.map(optionOf)];
  }

  /**
   * The params of `update_session_settings` for a choice of the editor.
   *
   * @throws RpcFault -32602 for an option or a value that is not offered
   */
  settingsFor(id: string, value: unknown): Record<string, unknown> {
    const choice = this.#choices().find((one) => one.id === id);
    if (choice === undefined)
      throw notOffered(
        "option",
        id,
        this.#choices().map((one) => one.id),
      );
    const { values, setting } = choice;
    const isOffered = values === undefined ? typeof value === "boolean" : values.some((one) => one.value === value);
    if (!isOffered) throw notOffered(`value of ${id}`, value, values?.map((one) => one.value) ?? ["true", "false"]);
    return setting === undefined ? { agentOptions: { [id]: value } } : { [setting]: value };
  }

  /** As {@link settingsFor}, for `session/set_mode`. */
  settingsForMode(modeId: string): Record<string, unknown> {
    const choice = this.#mode();
    if (choice === undefined) throw notOffered("mode", modeId, []);
    return this.settingsFor(choice.id, modeId);
  }

  #choices(): Choice[] {
    const { agentOptions } = this.#settings;
    return Array.isArray(agentOptions) ? recordsOf(agentOptions).flatMap(readChoice) : this.#ownChoices();
  }

  #ownChoices(): Choice[] {
    const { modelId, autonomyLevel } = this.#settings;
    const autonomy = textOf(autonomyLevel) ?? "off";
    const models = this.#models.map(({ id, displayName }) => ({ value: id, name: displayName }));
    const model: Choice = {
      ...{ id: "model", name: "Model", category: "model", setting: "modelId" },
      ...{ value: textOf(modelId) ?? "default", values: models },
    };
    const mode: Choice = {
      ...{ id: "autonomy", name: "Permissions", category: "mode", setting: "autonomyLevel" },
      ...{ value: autonomy, values: AUTONOMY },
    };
    return [mode, ...(models.length > 0 ? [model] : [])];
  }

  #mode(): Choice | undefined {
    return this.#choices().find(({ category, values }) => category === "mode" && values !== undefined);
  }

  #modes(): SessionModeState | undefined {
    const choice = this.#mode();
    if (choice === undefined) return undefined;
    const availableModes = (choice.values ?? []).map(({ value: id, name }) => ({ id, name }));
    return { currentModeId: String(choice.value), availableModes };
  }

  #agentOption(): SessionConfigOption[] {
    const { names, next } = this.#options.agents();
    if (names.length < 2) return [];
    return [
      {
        ...{ type: "select", id: AGENT_OPTION, name: "Agent of new sessions", category: AGENT_OPTION },
        currentValue: next ?? names[0] ?? "",
        options: names.map((name) => ({ value: name, name })),
      },
    ];
  }
}

function optionOf({ id, name, category, value, values }: Choice): SessionConfigOption {
  const named = { id, name, ...(category !== undefined && { category }) };
  if (typeof value === "boolean") return { type: "boolean", ...named, currentValue: value };
  return { type: "select", ...named, currentValue: value, options: [...(values ?? [])] };
}

function readChoice({ id, name, category, value, values }: Record<string, unknown>): Choice[] {
  if (typeof id !== "string" || (typeof value !== "string" && typeof value !== "boolean")) return [];
  const named = { id, name: textOf(name) ?? id, ...(typeof category === "string" && { category }), value };
  if (typeof value === "boolean") return [named];
  const read = recordsOf(values).flatMap((one) =>
    typeof one.value === "string" ? [{ value: one.value, name: textOf(one.name) ?? one.value }] : [],
  );
  return [{ ...named, values: read }];
}

export function notOffered(what: string, given: unknown, offered: readonly string[]): RpcFault {
  const known = offered.length === 0 ? "none is offered" : `there are: ${offered.join(", ")}`;
  return new RpcFault(RpcCode.invalidParams, `No ${what} ${JSON.stringify(given)}; ${known}.`);
}
