import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { DaemonState } from "../daemon/index.js";
import { navigate, sessionAddress } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

/** In place of a machine's name, of which none is like this: the fleet chooses. */
const BY_NEEDS = "*";

/** A session that was made, and the machine that has it where the daemon is in a fleet. */
interface Made {
  readonly sessionId: string;
  readonly machineId: string | undefined;
}

/** Asks where and with which agent a session is to work, and makes it. */
export function NewSession({ state, close }: ViewProps & { readonly close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const isMaking = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);
  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isMaking.value = true;
    const made = await state.attempt(() => makeSession(state, (name) => String(form.get(name) ?? "")));
    isMaking.value = false;
    close();
    if (made === undefined) return;
    await state.refreshOf(made.machineId);
    navigate(sessionAddress(made.sessionId, made.machineId));
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="new-session" onClose={close}>
      <form onSubmit={(event) => void make(event)}>
        <h2 id="new-session">New session</h2>
        <Fields state={state} />
        <div class="dialog-end">
          <button type="button" class="quiet" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isMaking.value}>
            {isMaking.value ? "Starting" : "Begin"}
          </button>
        </div>
      </form>
    </dialog>
  );
}

async function makeSession(state: DaemonState, field: (name: string) => string): Promise<Made> {
  const options = { cwd: field("cwd"), agent: field("agent") };
  const machineId = field("machine") === "" ? undefined : field("machine");
  if (machineId === BY_NEEDS) return state.fleet.place({ ...options, labels: labelsOf(field("labels")) });
  const made = await (await state.connectionTo(machineId)).createSession(options);
  // The page follows; an attachment would get all events a second time.
  await made.detach();
  return { sessionId: made.sessionId, machineId };
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
  return Object.fromEntries(pairs.flatMap(([name = "", value = ""]) => (name === "" ? [] : [[name, value]])));
}

function Fields({ state }: ViewProps): JSX.Element {
  const own = state.fleet.now.value?.machineId;
  const machine = useSignal(own ?? "");
  const rows = (state.sessions.value ?? []).filter(
    ({ machineId }) => machine.value === BY_NEEDS || machineId === undefined || machineId === machine.value,
  );
  const known = [...new Set(rows.flatMap(({ cwd = "" }) => (cwd === "" ? [] : [cwd])))];
  return (
    <>
      {own !== undefined && <Machine state={state} chosen={machine.value} choose={(name) => (machine.value = name)} />}
      <label class="field">
        <span>Directory</span>
        <input
          name="cwd"
          required
          list="directories"
          placeholder="/home/you/project"
          defaultValue={known[0] ?? ""}
          autocomplete="off"
        />
      </label>
      <datalist id="directories">
        {known.map((cwd) => (
          <option key={cwd} value={cwd} />
        ))}
      </datalist>
      <label class="field">
        <span>Agent</span>
        <select name="agent">
          {agentsOf(state, machine.value).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </>
  );
}

/** Where the session is to work: on a machine, or on the less loaded of those that have its labels. */
function Machine(props: ViewProps & { readonly chosen: string; readonly choose: (name: string) => void }): JSX.Element {
  const { state, chosen, choose } = props;
  const machines = (state.fleet.now.value?.machines ?? []).filter(
    (one) => one.state === "online" || !state.fleet.isOther(one.machineId),
  );
  return (
    <>
      <label class="field">
        <span>Machine</span>
        <select name="machine" value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          {machines.map(({ machineId, working, capacity }) => (
            <option key={machineId} value={machineId}>
              {machineId} ({working} of {capacity} at work)
            </option>
          ))}
          <option value={BY_NEEDS}>Placed by its needs</option>
        </select>
      </label>
      {chosen === BY_NEEDS && (
        <label class="field">
          <span>Labels</span>
          <input name="labels" placeholder="region=eu, gpu=a100" autocomplete="off" />
        </label>
      )}
    </>
  );
}

/** The agents of a machine, the default first; of all that are online where the fleet chooses. */
function agentsOf(state: DaemonState, machine: string): readonly string[] {
  const fleet = state.fleet.now.value;
  if (fleet === undefined || machine === fleet.machineId || machine === "")
    return state.connection.value?.capabilities.agents ?? [];
  const meant = fleet.machines.filter((one) =>
    machine === BY_NEEDS ? one.state === "online" : one.machineId === machine,
  );
  return [...new Set(meant.flatMap(({ agents }) => agents))];
}
