import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const highlighter = createLowlight({
  bash,
  css,
  go,
  java,
  javascript,
  json,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});

/** A piece of code: text, or a span with the class of what it is. */
export type CodePiece = string | { readonly classes: string; readonly pieces: readonly CodePiece[] };

/** The pieces of a text in that language; undefined for a language that is not known. */
export function piecesOf(text: string, language: string): readonly CodePiece[] | undefined {
  if (!highlighter.registered(language)) return undefined;
  return highlighter.highlight(language, text).children.map(pieceOf);
}

type Tree = ReturnType<typeof highlighter.highlight>["children"][number];

function pieceOf(node: Tree): CodePiece {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return "";
  return { classes: [node.properties.className].flat().join(" "), pieces: node.children.map(pieceOf) };
}
