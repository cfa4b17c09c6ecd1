/** The params of a permission to run one command, as an agent asks for it. */
export const PERMISSION = {
  toolUses: [
    {
      toolUse: { type: "tool_use", id: "t-1", name: "Execute", input: { command: "ls" } },
      confirmationType: "exec",
      details: { type: "exec", fullCommand: "ls", command: "ls" },
    },
  ],
  options: [
    { label: "Yes", value: "proceed_once" },
    { label: "No", value: "cancel" },
  ],
};
