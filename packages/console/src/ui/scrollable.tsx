import type { ComponentChildren, JSX } from "preact";

/** What scrolls by itself, and so has a name and can be reached by keyboard. */
export function Scrollable(props: {
  readonly class?: string;
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls, and a section would be a landmark
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the arrow keys
    <div class={props.class} tabIndex={0} role="group" aria-label={props.label}>
      {props.children}
    </div>
  );
}

/** Text as it is, in its own lines, that scrolls. */
export function Preformatted({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  return (
    <Scrollable class="pre" label={label}>
      <pre>
        <code>{text}</code>
      </pre>
    </Scrollable>
  );
}
