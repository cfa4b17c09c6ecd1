import { type Signal, signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { CodePiece } from "./languages.js";

/** Characters above which code has no colours: to find them would hold the page. */
const MOST_CHARS = 20_000;

type Languages = typeof import("./languages.js");

/** Loaded for the first block of code. */
const languages: Signal<Languages | undefined> = signal(undefined);

/** Code with the colours of its language; without them until the languages are loaded, and where the language is not known. */
export function Highlighted({ text, language }: { readonly text: string; readonly language: string }): JSX.Element {
  const loaded = languages.value;
  const pieces = useMemo(
    () => (text.length > MOST_CHARS ? undefined : loaded?.piecesOf(text, language.split(/\s/)[0] ?? language)),
    [loaded, text, language],
  );
  useEffect(() => {
    if (language !== "" && loaded === undefined) void load();
  }, [language, loaded]);
  return <code>{pieces === undefined ? text : drawn(pieces)}</code>;
}

async function load(): Promise<void> {
  try {
    languages.value = await import("./languages.js");
  } catch {
    // The connection is lost at the moment. Code is readable without colours.
  }
}

function drawn(pieces: readonly CodePiece[]): ComponentChildren {
  return pieces.map((piece, index) =>
    typeof piece === "string" ? (
      piece
    ) : (
      <span key={index} class={piece.classes}>
        {drawn(piece.pieces)}
      </span>
    ),
  );
}
