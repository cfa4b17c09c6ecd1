import type { AvailableModel } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

/** The agents that sessions may use, and their models. */
export function AgentsView({ state }: ViewProps): JSX.Element {
  const agents = state.connection.value?.capabilities.agents ?? [];
  const working = (state.sessions.value ?? []).filter(({ activity, isOpen }) => isOpen && activity !== "idle").length;
  return (
    <section class="page" aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      <p class="lead">
        {working === 0
          ? "No session works at the moment."
          : `${working} ${working === 1 ? "session works" : "sessions work"} at the moment.`}
      </p>
      {agents.length === 0 ? (
        <Empty title="The daemon names no agents" />
      ) : (
        <ul class="cards agents">
          {agents.map((name, index) => (
            <li key={name}>
              <AgentCard state={state} name={name} isDefault={index === 0} />
            </li>
          ))}
        </ul>
      )}
      <p class="page-end">
        <button type="button" class="quiet small" onClick={() => void state.leave()}>
          End the access of this tab
        </button>
      </p>
    </section>
  );
}

function AgentCard({
  state,
  name,
  isDefault,
}: ViewProps & { readonly name: string; readonly isDefault: boolean }): JSX.Element {
  const [models, setModels] = useState<readonly AvailableModel[] | undefined>(undefined);
  const connection = state.connection.value;
  useEffect(() => {
    let isCurrent = true;
    void connection
      ?.listModels(name)
      .then((found) => isCurrent && setModels(found))
      .catch(() => isCurrent && setModels([]));
    return () => {
      isCurrent = false;
    };
  }, [connection, name]);
  return (
    <article class="card" aria-label={name}>
      <header>
        <h3>{name}</h3>
        {isDefault && <span class="tag">default</span>}
      </header>
      {models === undefined ? (
        <p class="hint">Loading models</p>
      ) : models.length === 0 ? (
        <p class="hint">Its models are known once it has started.</p>
      ) : (
        <ul class="models">
          {models.map(({ id, displayName }) => (
            <li key={id}>
              {displayName} <code>{id}</code>
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}
