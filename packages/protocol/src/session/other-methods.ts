/**
 * Wire names (without prefix) of the methods that exist and that this project does not use.
 *
 * Call one with `ProtocolEngine.requestNamed`; its params and result are as the peer defines them.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#other-methods
 */
export const OTHER_METHOD_NAMES = [
  // Turns and commands
  "resolve_queued_user_message",
  "kill_worker_session",
  "warmup_cache",
  "list_commands",
  // MCP
  "cancel_mcp_auth",
  "clear_mcp_auth",
  "submit_mcp_auth_code",
  "submit_mcp_auth_error",
  "toggle_mcp_tool",
  "list_mcp_registry",
  "get_mcp_config",
  "update_mcp_config",
  // Files and git
  "search_files",
  "get_workspace_file_content",
  "write_workspace_file_content",
  "push_cwd_file_to_url",
  "pull_url_to_cwd_file",
  "validate_working_directory",
  "change_working_directory",
  "check_folder_trust",
  "trust_folder",
  "git_push",
  "git_commit",
  "create_pr",
  "list_git_branches",
  "checkout_git_branch",
  "resolve_pull_request_statuses",
  "get_git_branch_divergence",
  "cleanup_worktree",
  "get_semantic_diff_cache",
  "save_semantic_diff_cache",
  "generate_semantic_diff",
  "get_proxy_token",
  // Terminals
  "create_terminal",
  "write_terminal_data",
  "resize_terminal",
  "close_terminal",
  "list_terminals",
  // Settings, management, relay, feedback
  "update_session_defaults",
  "list_custom_models",
  "upsert_custom_model",
  "delete_custom_model",
  "set_skill_disabled",
  "trigger_update",
  "install_ssh_key",
  "relay.start",
  "relay.stop",
  "relay.get_status",
  "submit_bug_report",
  // Crons, and the loops that crons replaced
  "list_crons",
  "create_cron",
  "update_cron",
  "delete_cron",
  "hold_session_crons",
  "resume_session_crons",
  "start_loop",
  "stop_loop",
  "get_loop_status",
  "run_loop_now",
  // Plugins and marketplaces
  "list_available_plugins",
  "list_installed_plugins",
  "install_plugin",
  "uninstall_plugin",
  "update_plugin",
  "set_plugin_enabled",
  "list_marketplaces",
  "add_marketplace",
  "remove_marketplace",
  "update_marketplace",
  // Automations and missions
  "list_automations",
  "run_automation",
  "pause_automation",
  "resume_automation",
  "get_automation_history",
  "get_automation_visual",
  "create_automation",
  "update_automation_model",
  "update_automation_privacy",
  "rename_automation",
  "delete_automation",
  "fork_automation",
  "inspect_mission_readiness",
  "acknowledge_mission_readiness_warning",
  // Agents on stdio only
  "list_tools",
  "get_context_stats",
] as const;

/** A method that exists and that this project does not use. */
export type OtherMethodName = (typeof OTHER_METHOD_NAMES)[number];
