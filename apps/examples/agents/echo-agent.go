// An agent that speaks ACP, in the standard library alone: it repeats each prompt.
//
// `wait ...` waits until it is cancelled; `delete ...` requests permission first (and deletes nothing). Replace `work`.
// Configuration: {"agents": {"echo": {"driver": "acp", "command": ["/path/to/echo-agent"]}}}, after `go build echo-agent.go`.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
)

type object = map[string]any

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		SessionID string                  `json:"sessionId"`
		Prompt    []struct{ Text string } `json:"prompt"`
	} `json:"params"`
	Result struct {
		Outcome struct {
			Outcome  string `json:"outcome"`
			OptionID string `json:"optionId"`
		} `json:"outcome"`
	} `json:"result"`
}

type question struct {
	session string
	chosen  chan string
}

var (
	mutex     sync.Mutex
	cancels   = map[string]context.CancelFunc{} // of the prompt of a session; of none while nothing runs
	questions = map[string]question{}           // requests of ours that wait for an answer
)

func write(frame object) {
	frame["jsonrpc"] = "2.0"
	line, _ := json.Marshal(frame)
	mutex.Lock()
	defer mutex.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func update(session, kind string, fields object) {
	fields["sessionUpdate"] = kind
	write(object{"method": "session/update", "params": object{"sessionId": session, "update": fields}})
}

func say(session, text string) {
	for _, piece := range strings.SplitAfter(text, " ") {
		update(session, "agent_message_chunk", object{"content": object{"type": "text", "text": piece}})
	}
}

func newID() string {
	bytes := make([]byte, 16)
	rand.Read(bytes)
	return fmt.Sprintf("%x", bytes)
}

// The option that the person chose; empty without a clear answer.
func ask(session, call string) string {
	id, answer := newID(), make(chan string, 1)
	mutex.Lock()
	questions[id] = question{session, answer}
	mutex.Unlock()
	options := []object{
		{"optionId": "yes", "name": "Allow", "kind": "allow_once"},
		{"optionId": "no", "name": "Reject", "kind": "reject_once"},
	}
	params := object{"sessionId": session, "toolCall": object{"toolCallId": call}, "options": options}
	write(object{"id": id, "method": "session/request_permission", "params": params})
	return <-answer
}

func work(turn context.Context, session, text string) {
	command, rest, _ := strings.Cut(text, " ")
	if command == "delete" {
		call, status := newID(), "failed"
		update(session, "tool_call", object{"toolCallId": call, "title": "delete " + rest, "status": "pending"})
		text = "Then not."
		if ask(session, call) == "yes" {
			status, text = "completed", "Nothing was deleted: this is an example."
		}
		update(session, "tool_call_update", object{"toolCallId": call, "status": status})
	}
	say(session, text)
	if command == "wait" {
		<-turn.Done()
	}
}

func runPrompt(turn context.Context, id json.RawMessage, session, text string) {
	work(turn, session, text)
	// The answer ends the turn, so it is the last message of the turn.
	stopReason := "end_turn"
	if turn.Err() != nil {
		stopReason = "cancelled"
	}
	write(object{"id": id, "result": object{"stopReason": stopReason}})
}

func answer(received message) {
	id, session := received.ID, received.Params.SessionID
	switch received.Method {
	case "initialize":
		capabilities, info := object{"loadSession": false}, object{"name": "echo-go", "version": "1.0.0"}
		write(object{"id": id, "result": object{"protocolVersion": 1, "agentCapabilities": capabilities, "agentInfo": info}})
	case "session/new":
		made := newID()
		cancels[made] = func() {}
		write(object{"id": id, "result": object{"sessionId": made}})
	case "session/prompt":
		if cancels[session] == nil {
			write(object{"id": id, "error": object{"code": -32002, "message": "Session not found: " + session}})
			return
		}
		text := ""
		for _, block := range received.Params.Prompt {
			text += block.Text
		}
		turn, cancel := context.WithCancel(context.Background())
		cancels[session] = cancel
		// Beside this loop, which has to read on, or nobody could cancel the turn.
		go runPrompt(turn, id, session, text)
	default:
		write(object{"id": id, "error": object{"code": -32601, "message": "Method not found: " + received.Method}})
	}
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var received message
		if json.Unmarshal(line, &received) != nil {
			continue
		}
		var id string
		switch {
		case received.Method == "" && json.Unmarshal(received.ID, &id) == nil:
			mutex.Lock()
			asked, isOurs := questions[id]
			delete(questions, id)
			mutex.Unlock()
			if !isOurs {
				continue
			}
			if received.Result.Outcome.Outcome == "cancelled" { // So a client answers when the turn is cancelled.
				cancels[asked.session]()
			}
			asked.chosen <- received.Result.Outcome.OptionID
		case received.Method == "session/cancel" && cancels[received.Params.SessionID] != nil:
			cancels[received.Params.SessionID]()
		case received.Method != "" && received.ID != nil:
			answer(received)
		}
	}
}
