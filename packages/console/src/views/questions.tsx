import type { AskUserQuestion, InboxRequest } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import type { Answer } from "./answer.js";

/** The questions of one request as a form: an option of each, or words of the user's own. */
export function Questions(props: {
  readonly request: Extract<InboxRequest, { method: "ask_user" }>;
  readonly answer: Answer;
  readonly isDisabled: boolean;
}): JSX.Element {
  const { questions } = props.request.params;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void props.answer({ answers: questions.map((one) => answerIn(form, one)) });
  };
  return (
    <form class="questions" onSubmit={submit}>
      {questions.map((question) => (
        <Question key={question.index} question={question} />
      ))}
      <div class="answers">
        <button type="submit" class="primary" disabled={props.isDisabled}>
          Answer
        </button>
        <button
          type="button"
          class="danger"
          disabled={props.isDisabled}
          onClick={() => void props.answer({ cancelled: true, answers: [] })}
        >
          Cancel
        </button>
      </div>
    </form>
  );
}

function Question({ question: { index, question, options } }: { readonly question: AskUserQuestion }): JSX.Element {
  return (
    <fieldset>
      <legend>{question}</legend>
      {options.map((option, at) => (
        <label key={option} class="option">
          <input type="radio" name={`option-${index}`} value={option} defaultChecked={at === 0} />
          <span>{option}</span>
        </label>
      ))}
      <input
        name={`own-${index}`}
        aria-label={`Another answer: ${question}`}
        placeholder="Another answer"
        autocomplete="off"
      />
    </fieldset>
  );
}

/** What the user wrote, else the chosen option. */
function answerIn(form: FormData, { index, question }: AskUserQuestion) {
  const own = String(form.get(`own-${index}`) ?? "").trim();
  return { index, question, answer: own === "" ? String(form.get(`option-${index}`) ?? "") : own };
}
