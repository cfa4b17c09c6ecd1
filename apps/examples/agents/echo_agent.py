#!/usr/bin/env python3
"""An agent that speaks ACP, in the standard library alone: it repeats each prompt.

`wait ...` waits until it is cancelled; `delete ...` requests permission first (and deletes nothing). Replace `work`.
Configuration: {"agents": {"echo": {"driver": "acp", "command": ["python3", "echo_agent.py"]}}}
"""

import json
import os
import re
import sys
import threading
import uuid

output = threading.Lock()
sessions = {}  # session id -> Event that is set while its prompt is to be cancelled
questions = {}  # id of a request of ours -> (Event, answer)


def write(message):
    with output:
        try:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:  # The client has ended. The end of stdin reports it, too.
            pass


def update(session_id, session_update, **fields):
    params = {"sessionId": session_id, "update": {"sessionUpdate": session_update, **fields}}
    write({"method": "session/update", "params": params})


def say(session_id, text):
    for piece in re.findall(r"\S+\s*", text):
        update(session_id, "agent_message_chunk", content={"type": "text", "text": piece})


def ask(session_id, tool_call_id, cancelled):
    """The option that the person chose; None without a clear answer."""
    question = str(uuid.uuid4())
    answered = threading.Event()
    questions[question] = (answered, answer := {})
    kinds = [("yes", "Allow", "allow_once"), ("no", "Reject", "reject_once")]
    options = [{"optionId": value, "name": name, "kind": kind} for value, name, kind in kinds]
    params = {"sessionId": session_id, "toolCall": {"toolCallId": tool_call_id}, "options": options}
    write({"id": question, "method": "session/request_permission", "params": params})
    answered.wait()
    outcome = (answer.get("result") or {}).get("outcome") or {}
    if outcome.get("outcome") == "cancelled":  # So a client answers when the turn is cancelled.
        cancelled.set()
    return outcome.get("optionId")


def work(session_id, text, cancelled):
    command, _, rest = text.partition(" ")
    if command == "delete":
        call = str(uuid.uuid4())
        update(session_id, "tool_call", toolCallId=call, title=f"delete {rest}", kind="delete", status="pending")
        allowed = ask(session_id, call, cancelled) == "yes"
        update(session_id, "tool_call_update", toolCallId=call, status="completed" if allowed else "failed")
        text = "Nothing was deleted: this is an example." if allowed else "Then not."
    say(session_id, text)
    if command == "wait":
        cancelled.wait()


def run_prompt(request_id, session_id, prompt, cancelled):
    try:
        work(session_id, "".join(block.get("text", "") for block in prompt), cancelled)
        reply = {"result": {"stopReason": "cancelled" if cancelled.is_set() else "end_turn"}}
    except Exception as error:  # A prompt without an answer would never end.
        reply = {"error": {"code": -32603, "message": str(error)}}
    # The answer ends the turn, so it is the last message of the turn.
    write({"id": request_id, **reply})


def answer(request_id, method, params):
    if method == "initialize":
        info = {"name": "echo-python", "version": "1.0.0"}
        return {"result": {"protocolVersion": 1, "agentCapabilities": {"loadSession": False}, "agentInfo": info}}
    if method == "session/new":
        session_id = str(uuid.uuid4())
        sessions[session_id] = threading.Event()
        return {"result": {"sessionId": session_id}}
    if method == "session/prompt":
        session_id = params.get("sessionId")
        if session_id not in sessions:
            return {"error": {"code": -32002, "message": f"Session not found: {session_id}"}}
        cancelled = sessions[session_id] = threading.Event()
        # In a thread: this one has to read on, or nobody could cancel the turn.
        arguments = (request_id, session_id, params.get("prompt", []), cancelled)
        threading.Thread(target=run_prompt, args=arguments, daemon=True).start()
        return None
    return {"error": {"code": -32601, "message": f"Method not found: {method}"}}


for line in sys.stdin:
    message = json.loads(line)
    method, request_id, params = message.get("method"), message.get("id"), message.get("params") or {}
    if method is None and request_id in questions:
        answered, found = questions.pop(request_id)
        found.update(message)
        answered.set()
    elif method == "session/cancel" and params.get("sessionId") in sessions:
        sessions[params["sessionId"]].set()
    elif method is not None and "id" in message:
        reply = answer(request_id, method, params)
        if reply is not None:
            write({"id": request_id, **reply})

# A prompt's thread may hold the lock of stdout now. The usual end of Python would abort on it.
os._exit(0)
