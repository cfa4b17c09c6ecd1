import type { JSX } from "preact";
import { Empty } from "../ui/index.js";
import { Missing } from "./missing.js";
import { RequestCard } from "./request-card.js";
import type { ViewProps } from "./view-props.js";

/** What all sessions ask of the user, oldest first. */
export function InboxView({ state }: ViewProps): JSX.Element {
  const requests = state.requests.value;
  return (
    <section class="page" aria-labelledby="inbox-title">
      <h2 id="inbox-title">Inbox</h2>
      <Missing state={state} of="questions" />
      {requests.length === 0 ? (
        <Empty title="Nothing waits for you">Questions and permissions of every session appear here.</Empty>
      ) : (
        <ul class="cards">
          {requests.map((request) => (
            <li key={request.requestId}>
              <RequestCard state={state} request={request} withSession />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
