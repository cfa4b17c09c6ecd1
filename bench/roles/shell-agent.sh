#!/bin/sh
# The cheapest agent there is: a shell of a megabyte, so that a thousand of them run on a small machine and leave its
# cores to what is measured. A prompt that is a number gets that many deltas, as fast as the pipe takes them.
#
# `sh shell-agent.sh` speaks the stdio wire; `sh shell-agent.sh flood <session>` writes deltas for each line that is a number.

head='{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":'
note="$head\"notification\",\"method\":\"droid.session_notification\",\"params\":{\"sessionId\":\"$2\",\"notification\":"
session=$2

# Writes $1 deltas of the message $2: 64 lines a write.
flood() {
  line="$note{\"type\":\"assistant_text_delta\",\"messageId\":\"$2\",\"blockIndex\":0,\"textDelta\":\" token by token \"}}}"
  block=$line
  size=1
  while [ "$size" -lt 64 ]; do
    block="$block
$block"
    size=$((size * 2))
  done
  left=$1
  while [ "$left" -ge 64 ]; do
    printf '%s\n' "$block"
    left=$((left - 64))
  done
  while [ "$left" -gt 0 ]; do
    printf '%s\n' "$line"
    left=$((left - 1))
  done
}

# The value of the field $1 in $line, a string without escapes.
field() {
  value=${line#*\"$1\":\"}
  value=${value%%\"*}
}

if [ "$1" = flood ]; then
  while IFS= read -r count; do flood "$count" m-1; done
  exit
fi

settings='"settings":{"modelId":"m","reasoningEffort":"none"}'
while IFS= read -r line; do
  field id
  id=$value
  case $line in
    *'"droid.initialize_session"'*)
      field sessionId
      session=$value
      note="$head\"notification\",\"method\":\"droid.session_notification\",\"params\":{\"sessionId\":\"$session\",\"notification\":"
      printf '%s\n' "$head\"response\",\"id\":\"$id\",\"result\":{\"sessionId\":\"$session\",\"session\":{\"messages\":[]},$settings}}"
      ;;
    *'"droid.add_user_message"'*)
      field messageId
      turn=$value
      field text
      text=$value
      printf '%s\n' "$head\"response\",\"id\":\"$id\",\"result\":{}}" \
        "$note{\"type\":\"droid_working_state_changed\",\"newState\":\"streaming_assistant_message\"}}}" \
        "$note{\"type\":\"create_message\",\"requestId\":\"$id\",\"message\":{\"id\":\"$turn\",\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"$text\"}],\"createdAt\":1,\"updatedAt\":1}}}}"
      flood "$text" "answer-$turn"
      printf '%s\n' "$note{\"type\":\"agent_turn_completed\",\"reason\":\"completed\",\"turnId\":\"$turn\"}}}" \
        "$note{\"type\":\"droid_working_state_changed\",\"newState\":\"idle\"}}}"
      ;;
    *'"type":"request"'*) printf '%s\n' "$head\"response\",\"id\":\"$id\",\"result\":{}}" ;;
  esac
done
