/** The page: lists sessions, streams one, asks its user for permissions. No framework; what it uses of the SDK is one import. */
import {
  connectDaemon,
  type DaemonSession,
  type DroidStreamEvent,
  type PermissionAnswer,
  type PermissionRequest,
} from "@daemon-sdk/client";

const { url, cwd } = await post<{ url: string; cwd: string }>("/place");

const connection = await connectDaemon({
  url,
  // Good for one connection, so a fresh one is fetched whenever the page has to come back. Nothing lasting is ever in here.
  ticket: async () => (await post<{ ticket: string }>("/ticket")).ticket,
  permissionHandler: askPermission,
  onStatus({ type }) {
    element("status").textContent = type;
    element("status").className = type;
  },
});

const composer = element("composer") as HTMLFieldSetElement;
let session: DaemonSession | undefined;

// What no handler below has caught, such as a refused call, is for the user to see.
addEventListener("unhandledrejection", ({ reason }) => void addLine("end", String(reason)));

element("create").onclick = async () => {
  await leave();
  show(await connection.createSession({ cwd }));
  await listSessions();
};

element("prompt").onsubmit = async (event) => {
  event.preventDefault();
  const form = event.target as HTMLFormElement;
  const text = String(new FormData(form).get("text"));
  form.reset();
  if (session !== undefined) await stream(session, text);
  await listSessions();
};

await listSessions();

async function listSessions(): Promise<void> {
  const { sessions } = await connection.listAvailableSessions();
  element("sessions").replaceChildren(
    ...sessions.map(({ sessionId, title }) => {
      const button = buttonOf(title ?? sessionId.slice(0, 8), () => open(sessionId));
      button.setAttribute("aria-current", String(sessionId === session?.sessionId));
      return inItem(button);
    }),
  );
}

async function open(sessionId: string): Promise<void> {
  await leave();
  show(await connection.resumeSession(sessionId));
  await listSessions();
}

/** The session goes on in the daemon; this page only stops looking. */
async function leave(): Promise<void> {
  composer.disabled = true;
  await session?.detach();
  session = undefined;
}

function show(shown: DaemonSession): void {
  session = shown;
  composer.disabled = false;
  element("transcript").replaceChildren();
  for (const { role, content } of shown.snapshot.history) {
    const text = content.flatMap((block) => (block.type === "text" ? [String(block.text)] : [])).join("");
    if (text !== "") addLine(role, text);
  }
}

async function stream(shown: DaemonSession, prompt: string): Promise<void> {
  addLine("user", prompt);
  let answer: HTMLElement | undefined;
  for await (const event of shown.stream(prompt, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") {
      answer ??= addLine("assistant", "");
      answer.append(event.text);
    } else if (event.type === "assistant") {
      answer = undefined;
    } else if (event.type === "session_title_updated") {
      await listSessions();
    }
    const line = describe(event);
    if (line !== undefined) addLine(...line);
  }
}

function describe(event: DroidStreamEvent): [kind: string, text: string] | undefined {
  switch (event.type) {
    case "tool_call":
      return ["tool", `→ ${event.toolUse.name} ${JSON.stringify(event.toolUse.input)}`];
    case "tool_result":
      return ["tool", `${event.isError ? "✗" : "✓"} ${String(event.content)}`];
    case "error":
      return ["end", event.message];
    case "result":
      return ["end", `${event.subtype} after ${Math.round(event.durationMs)} ms`];
    default:
      return undefined;
  }
}

/** Resolves with what the user clicked. Somebody else may answer first: then the question goes away. */
function askPermission({ toolUses, options }: PermissionRequest, { signal }: { signal: AbortSignal }) {
  const wishes = toolUses.map(({ toolUse }) => `${toolUse.name} ${JSON.stringify(toolUse.input)}`);
  element("question").textContent = `May the agent do this? ${wishes.join(", ")}`;
  element("permission").hidden = false;
  return new Promise<PermissionAnswer>((resolve) => {
    const answer = (value: PermissionAnswer) => {
      element("permission").hidden = true;
      resolve(value);
    };
    signal.addEventListener("abort", () => answer("cancel"));
    element("options").replaceChildren(...options.map(({ label, value }) => buttonOf(label, () => answer(value))));
  });
}

/** Text goes in as text, never as HTML: agents write what they like. */
function addLine(kind: string, text: string): HTMLElement {
  const line = inItem(text);
  line.className = kind;
  element("transcript").append(line);
  line.scrollIntoView();
  return line;
}

function inItem(content: Node | string): HTMLLIElement {
  const item = document.createElement("li");
  item.append(content);
  return item;
}

function buttonOf(label: string, onclick: () => unknown): HTMLButtonElement {
  const button = document.createElement("button");
  button.append(label);
  button.onclick = onclick;
  return button;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found;
}

async function post<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, { method: "POST" });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}.`);
  return (await response.json()) as Answer;
}
