import type { JSX } from "preact";
import { DiffView } from "../diff/index.js";
import { CopyButton, Scrollable } from "../ui/index.js";
import { Highlighted } from "./highlighted.js";

/** A block of code, with its language; a diff with its colours. */
export function CodeBlock({ text, language }: { readonly text: string; readonly language: string }): JSX.Element {
  const isDiff = language === "diff" || language === "patch";
  return (
    <figure class="code">
      <figcaption>
        <span>{language === "" ? "text" : language}</span>
        <CopyButton text={text} />
      </figcaption>
      {isDiff ? (
        <DiffView patch={text} />
      ) : (
        <Scrollable class="pre" label={`Code, ${language === "" ? "text" : language}`}>
          <pre>
            <Highlighted text={text} language={language} />
          </pre>
        </Scrollable>
      )}
    </figure>
  );
}
