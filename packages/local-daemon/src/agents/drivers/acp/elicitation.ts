import { type AskUserQuestion, isRecord } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";

/** The answer to `elicitation/create`. */
export type ElicitationAnswer =
  | { readonly action: "accept"; readonly content: Readonly<Record<string, unknown>> }
  | { readonly action: "cancel" }
  | { readonly action: "decline" };

interface Field {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly isRequired: boolean;
}

const YES = "Yes";
const NO = "No";

/** A form of an agent as our questions, one a property, and the answers back as values (docs/wire/acp.md#elicitation). */
export class ElicitationForm {
  readonly questions: readonly AskUserQuestion[];
  readonly #fields: readonly Field[];

  constructor({ message, requestedSchema }: Readonly<Record<string, unknown>>) {
    const schema = isRecord(requestedSchema) ? requestedSchema : {};
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const properties = isRecord(schema.properties) ? schema.properties : {};
    this.#fields = Object.entries(properties).flatMap(([name, one]) =>
      isRecord(one) ? [{ name, schema: one, isRequired: required.has(name) }] : [],
    );
    const intro = textOf(message) ?? "";
    this.questions = this.#fields.map(({ name, schema: one }, place) => ({
      index: place + 1,
      topic: textOf(one.title) ?? name,
      question: textOf(one.description) ?? (intro === "" ? (textOf(one.title) ?? name) : intro),
      options: choicesOf(one).map(({ title }) => title),
    }));
  }

  /** Declines when a required answer is missing or is no value of its property. */
  answer(result: Readonly<Record<string, unknown>>): ElicitationAnswer {
    if (result.cancelled === true) return { action: "cancel" };
    const texts = new Map(recordsOf(result.answers).map(({ index, answer }) => [index, textOf(answer) ?? ""]));
    const content: Record<string, unknown> = {};
    for (const [place, { name, schema, isRequired }] of this.#fields.entries()) {
      const value = answerValue(schema, texts.get(place + 1) ?? "");
      if (value !== undefined) content[name] = value;
      else if (isRequired) return { action: "decline" };
    }
    return { action: "accept", content };
  }
}

interface Choice {
  readonly value: string;
  readonly title: string;
}

function choicesOf(schema: Readonly<Record<string, unknown>>): Choice[] {
  if (schema.type === "boolean") return [YES, NO].map((title) => ({ value: title, title }));
  if (schema.type === "array") return isRecord(schema.items) ? choicesOf(schema.items) : [];
  const titled = recordsOf(schema.oneOf ?? schema.anyOf);
  if (titled.length > 0) return titled.map(({ const: value, title }) => choice(value, title));
  return Array.isArray(schema.enum) ? schema.enum.map((value) => choice(value, value)) : [];
}

function choice(value: unknown, title: unknown): Choice {
  return { value: String(value), title: textOf(title) ?? String(value) };
}

/** The value of a property for an answer in words; undefined when it is none. */
function answerValue(schema: Readonly<Record<string, unknown>>, text: string): unknown {
  if (text === "") return undefined;
  const known = (title: string) => choicesOf(schema).find((one) => one.title === title || one.value === title)?.value;
  switch (schema.type) {
    case "boolean":
      return text === YES || text === "true" ? true : text === NO || text === "false" ? false : undefined;
    case "number":
    case "integer": {
      const value = Number(text);
      return Number.isFinite(value) && (schema.type === "number" || Number.isInteger(value)) ? value : undefined;
    }
    case "array": {
      const values = text.split(",").map((part) => known(part.trim()));
      return values.includes(undefined) ? undefined : values;
    }
    default:
      return choicesOf(schema).length === 0 ? text : known(text);
  }
}
