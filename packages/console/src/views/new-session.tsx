import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { navigate } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

/** Asks where and with which agent a session is to work, and makes it. */
export function NewSession({ state, close }: ViewProps & { readonly close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const isMaking = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);
  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const cwd = String(form.get("cwd"));
    const agent = String(form.get("agent"));
    isMaking.value = true;
    const made = await state.attempt(async () => state.connection.value?.createSession({ cwd, agent }));
    isMaking.value = false;
    close();
    if (made === undefined) return;
    await state.refresh();
    navigate(`/sessions/${encodeURIComponent(made.sessionId)}`);
    await made.detach();
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

function Fields({ state }: ViewProps): JSX.Element {
  const agents = state.connection.value?.capabilities.agents ?? [];
  const known = [...new Set((state.sessions.value ?? []).flatMap(({ cwd = "" }) => (cwd === "" ? [] : [cwd])))];
  return (
    <>
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
          {agents.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </>
  );
}
