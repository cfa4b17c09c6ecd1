import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { Icon } from "../ui/index.js";

/** Options of {@link Composer}. */
export interface ComposerProps {
  readonly isBusy: boolean;
  /** Resolves with undefined when the prompt was not accepted; the text stays then. */
  send(text: string): Promise<true | undefined>;
  interrupt(): void;
}

/** Where the user writes. Enter sends, Shift+Enter begins a line; a prompt during a turn waits for its end. */
export function Composer({ isBusy, send, interrupt }: ComposerProps): JSX.Element {
  const text = useSignal("");
  const submit = async (): Promise<void> => {
    const prompt = text.value.trim();
    if (prompt === "") return;
    text.value = "";
    const isSent = await send(prompt);
    if (isSent === undefined && text.value === "") text.value = prompt;
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="composer-box">
        <Field text={text} isBusy={isBusy} submit={() => void submit()} interrupt={interrupt} />
        {isBusy && (
          <button type="button" class="stop" aria-label="Interrupt" onClick={interrupt} aria-keyshortcuts="Escape">
            <Icon name="stop" />
            <span class="wide-only">Interrupt</span>
          </button>
        )}
        <button type="submit" class="primary send" disabled={text.value.trim() === ""}>
          <Icon name="send" />
          <span>{isBusy ? "Queue" : "Send"}</span>
        </button>
      </div>
      <p id="composer-hint" class="hint">
        Enter sends · Shift+Enter begins a line{isBusy && " · Esc interrupts"}
      </p>
    </form>
  );
}

function Field(props: {
  readonly text: Signal<string>;
  readonly isBusy: boolean;
  submit(): void;
  interrupt(): void;
}): JSX.Element {
  const { text, isBusy } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && isBusy) props.interrupt();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    props.submit();
  };
  return (
    <textarea
      rows={1}
      aria-label="Message"
      aria-describedby="composer-hint"
      placeholder={isBusy ? "Add to the queue" : "Ask the agent"}
      value={text.value}
      onInput={(event) => {
        text.value = event.currentTarget.value;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
