import type { JSX } from "preact";
import { DiffView } from "../diff/index.js";
import { CopyButton, Preformatted } from "../ui/index.js";

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
        <Preformatted label={`Code, ${language === "" ? "text" : language}`} text={text} />
      )}
    </figure>
  );
}
