import { lexer, type Token, type Tokens } from "marked";
import type { ComponentChildren, JSX } from "preact";
import { memo } from "preact/compat";
import { Scrollable } from "../ui/index.js";
import { CodeBlock } from "./code-block.js";

/**
 * Markdown as elements. The parser makes tokens, and each token becomes an element here: no text of an agent is ever parsed as
 * HTML, so nothing has to be sanitised. HTML in the text is shown as text, an image as a link: nothing is loaded from elsewhere.
 */
export const Markdown = memo(function Markdown({ text }: { readonly text: string }): JSX.Element {
  return <div class="markdown">{blocks(lexer(text))}</div>;
});

function blocks(tokens: readonly Token[]): ComponentChildren {
  return tokens.map((token, index) => <Block key={index} token={token} />);
}

function Block({ token }: { readonly token: Token }): JSX.Element | null {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return heading(token as Tokens.Heading);
    case "code":
      return <CodeBlock text={(token as Tokens.Code).text} language={(token as Tokens.Code).lang ?? ""} />;
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "hr":
      return <hr />;
    case "paragraph":
      return <p>{inline(token.tokens ?? [])}</p>;
    case "text":
      return <>{"tokens" in token && token.tokens !== undefined ? inline(token.tokens) : plain(token)}</>;
    default:
      return <p>{token.raw}</p>;
  }
}

/** The headings of a transcript begin below those of the page. */
function heading({ depth, tokens }: Tokens.Heading): JSX.Element {
  const Level = (["h3", "h4", "h5", "h6"] as const)[Math.min(depth, 4) - 1] ?? "h6";
  return <Level>{inline(tokens)}</Level>;
}

function list({ ordered, start, items }: Tokens.List): JSX.Element {
  const rows = items.map((item, index) => (
    <li key={index} class={item.task ? "task" : undefined}>
      {item.task && <TaskMark isDone={item.checked === true} />}
      {blocks(item.tokens.filter(({ type }) => type !== "checkbox"))}
    </li>
  ));
  return ordered ? <ol start={start === "" ? 1 : start}>{rows}</ol> : <ul>{rows}</ul>;
}

function TaskMark({ isDone }: { readonly isDone: boolean }): JSX.Element {
  return (
    <>
      <span class="visually-hidden">{isDone ? "Done: " : "To do: "}</span>
      <span aria-hidden="true">{isDone ? "☑ " : "☐ "}</span>
    </>
  );
}

function table({ header, rows }: Tokens.Table): JSX.Element {
  const cells = (row: readonly Tokens.TableCell[], Cell: "th" | "td") =>
    row.map(({ tokens, align }, index) => (
      <Cell key={index} class={align === null ? undefined : `align-${align}`}>
        {inline(tokens)}
      </Cell>
    ));
  return (
    <Scrollable class="table" label="Table">
      <table>
        <thead>
          <tr>{cells(header, "th")}</tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>{cells(row, "td")}</tr>
          ))}
        </tbody>
      </table>
    </Scrollable>
  );
}

function inline(tokens: readonly Token[]): ComponentChildren {
  return tokens.map((token, index) => <Inline key={index} token={token} />);
}

function Inline({ token }: { readonly token: Token }): JSX.Element {
  const inside = (): ComponentChildren => inline("tokens" in token ? (token.tokens ?? []) : []);
  switch (token.type) {
    case "strong":
      return <strong>{inside()}</strong>;
    case "em":
      return <em>{inside()}</em>;
    case "del":
      return <del>{inside()}</del>;
    case "codespan":
      return <code>{plain(token)}</code>;
    case "br":
      return <br />;
    case "link":
      return <Link href={(token as Tokens.Link).href}>{inside()}</Link>;
    case "image":
      return <Link href={(token as Tokens.Image).href}>{`🖼 ${(token as Tokens.Image).text || "image"}`}</Link>;
    case "text":
      return <>{"tokens" in token && token.tokens !== undefined ? inside() : plain(token)}</>;
    case "escape":
      return <>{plain(token)}</>;
    default:
      return <>{token.raw}</>;
  }
}

/** A link that a browser would run or that leads into this page is shown as text. */
function Link({ href, children }: { readonly href: string; readonly children: ComponentChildren }): JSX.Element {
  if (!/^(?:https?:|mailto:)/i.test(href)) return <span class="dead-link">{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function plain(token: Token): string {
  return "text" in token ? String(token.text) : token.raw;
}
