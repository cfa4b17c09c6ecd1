import type { ConsoleMachine } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import { duration, Empty } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

/** The machines of the fleet. */
export function MachinesView({ state }: ViewProps): JSX.Element {
  const fleet = state.fleet.now.value;
  const machines = fleet?.machines ?? [];
  const online = machines.filter(({ state }) => state === "online").length;
  return (
    <section class="page" aria-labelledby="machines-title">
      <h2 id="machines-title">Machines</h2>
      {fleet === undefined ? (
        <Empty title="This daemon shows no fleet">Its own sessions are in the list of sessions.</Empty>
      ) : (
        <>
          <p class="lead">
            {online} of {machines.length} {machines.length === 1 ? "machine is" : "machines are"} online.
          </p>
          <ul class="cards">
            {machines.map((machine) => (
              <li key={machine.machineId}>
                <MachineCard machine={machine} isOwn={machine.machineId === fleet.machineId} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function MachineCard({ machine, isOwn }: { readonly machine: ConsoleMachine; readonly isOwn: boolean }): JSX.Element {
  const { machineId, labels, agents, working, capacity, version } = machine;
  return (
    <article class="card machine" aria-label={machineId}>
      <header>
        <h3>{machineId}</h3>
        <p class="meta">
          {isOwn && <span class="tag">this console</span>}
          <MachineState machine={machine} />
        </p>
      </header>
      <dl class="facts">
        <div>
          <dt>At work</dt>
          <dd>
            {working} of {capacity}
          </dd>
        </div>
        <div>
          <dt>Agents</dt>
          <dd>{agents.length === 0 ? "none" : agents.join(", ")}</dd>
        </div>
        {Object.entries(labels).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Daemon</dt>
          <dd>{version}</dd>
        </div>
      </dl>
    </article>
  );
}

function MachineState({ machine: { state, silentMs } }: { readonly machine: ConsoleMachine }): JSX.Element {
  const isOnline = state === "online";
  return (
    <span class={`activity ${isOnline ? "online" : "gone"}`}>
      <span class="dot" aria-hidden="true" />
      <span>{isOnline ? "Online" : silentMs === undefined ? "Lost" : `Lost for ${duration(silentMs)}`}</span>
    </span>
  );
}
