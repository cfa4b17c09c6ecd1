import { ProtocolError, RpcCode, SETTING_NAMES, type SessionSettings, type SettingsParams } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** The settings among what was given, without anything else. */
export function pickSettings(given: object): SettingsParams {
  const entries = SETTING_NAMES.map((name) => [name, Reflect.get(given, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Keys of `initialize_session` and `update_session_settings` that the daemon itself acts on. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  "token",
  "machineId",
  "cwd",
  "sessionId",
  "mcpServers",
  "inactivityTimeoutMs",
  "disableInactivityTimeout",
  "agent",
  "env",
  "inbox",
  "credit",
]);

const NAMES: ReadonlySet<string> = new Set(SETTING_NAMES);

/**
 * What was given for the agent beside settings: the daemon need not know it to pass it on. Undefined when there is nothing.
 *
 * Throws -32602 when it is longer than `SERVING_LIMITS.agentParamsChars`: it is stored with every change of the session's row.
 */
export function agentParamsOf(given: object): Record<string, unknown> | undefined {
  const entries = Object.entries(given).filter(
    ([name, value]) => value !== undefined && !OWN_KEYS.has(name) && !NAMES.has(name),
  );
  if (entries.length === 0) return undefined;
  const params = Object.fromEntries(entries);
  const { length } = JSON.stringify(params);
  const { agentParamsChars } = SERVING_LIMITS;
  if (length <= agentParamsChars) return params;
  const names = entries.map(([name]) => name.slice(0, SERVING_LIMITS.titleChars)).join(", ");
  throw new ProtocolError(
    "INVALID_PARAMS",
    `${length} characters of JSON in ${names} are too many, ${agentParamsChars} are the limit (agentParamsChars).`,
    { rpcCode: RpcCode.invalidParams },
  );
}

/**
 * A session's settings as its agent is asked for them: those that a client asked for, as they are now. What the agent reported
 * beside them stays out, and so does what the daemon shows where it knows nothing.
 */
export function agentSettings({ settings, askedSettings }: AskedSettings): SettingsParams {
  const isAsked = ([name, value]: [string, unknown]) => {
    if (askedSettings !== undefined) return askedSettings.includes(name);
    // An older daemon wrote these where nobody had asked for any.
    return NAMES.has(name) && value !== "" && !(name === "reasoningEffort" && value === "none");
  };
  return Object.fromEntries(Object.entries(settings).filter(isAsked));
}

/** The part of a session's row that {@link agentSettings} reads. */
interface AskedSettings {
  readonly settings: SessionSettings;
  readonly askedSettings?: readonly string[] | undefined;
}

/** The change of a session's row when a client asks for settings. */
export function askedFor(row: AskedSettings, changed: SettingsParams): Required<AskedSettings> {
  const before = row.askedSettings ?? Object.keys(agentSettings(row));
  return {
    settings: { ...row.settings, ...changed },
    askedSettings: [...new Set([...before, ...Object.keys(changed)])],
  };
}

/** The settings whose value is another now; undefined when all are the same. */
export function changedSettings(before: SessionSettings, after: SessionSettings): SettingsParams | undefined {
  const changed = Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
