import type { PermissionToolUse } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import { DiffView, patchOf } from "../diff/index.js";
import { Markdown } from "../markdown/index.js";
import { Preformatted } from "../ui/index.js";

/** What the tool would do, in a few words. */
export function effectTitle({ details, toolUse }: PermissionToolUse): string {
  const file = text(details.fileName) || text(details.filePath);
  switch (details.type) {
    case "create":
      return `Create ${file}`;
    case "edit":
    case "apply_patch":
      return `Change ${file}`;
    case "exec":
      return "Run a command";
    case "exit_spec_mode":
      return text(details.title) || "Begin with the plan";
    case "mcp_tool":
      return `Use ${text(details.actualToolName) || text(details.toolName) || toolUse.name}`;
    default:
      return `Use ${toolUse.name}`;
  }
}

/** Everything the tool would do: the difference of the file, the whole command, the plan. */
export function Effect({ use }: { readonly use: PermissionToolUse }): JSX.Element {
  const { details, toolUse } = use;
  const path = text(details.filePath);
  switch (details.type) {
    case "create":
      return <File path={path} patch={patchOf(path, "", text(details.content) || text(details.newContent))} />;
    case "edit":
      return <File path={path} patch={patchOf(path, text(details.oldContent), text(details.newContent))} />;
    case "apply_patch":
      return <File path={path} patch={text(details.patchContent)} />;
    case "exec":
      return (
        <Command command={text(details.fullCommand) || text(details.command)} reason={text(details.riskLevelReason)} />
      );
    case "exit_spec_mode":
      return <Markdown text={text(details.plan)} />;
    case "propose_mission":
      return <Markdown text={text(details.proposal)} />;
    default:
      return <Input value={toolUse.input} />;
  }
}

function File({ path, patch }: { readonly path: string; readonly patch: string }): JSX.Element {
  return (
    <div class="effect">
      <p class="path">{path}</p>
      <DiffView patch={patch} />
    </div>
  );
}

function Command({ command, reason }: { readonly command: string; readonly reason: string }): JSX.Element {
  return (
    <div class="effect">
      <Preformatted label="Command" text={command} />
      {reason !== "" && <p class="hint">{reason}</p>}
    </div>
  );
}

function Input({ value }: { readonly value: unknown }): JSX.Element {
  return (
    <div class="effect">
      <Preformatted label="Input" text={JSON.stringify(value, null, 2)} />
    </div>
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
