package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
)

// stack is the usual one: llama.cpp behind an OpenAI-compatible server, and langchaingo's client for it.
type stack struct {
	process *exec.Cmd
	address string
	client  *openai.LLM
}

// startStack starts the server, which is a child of this process and runs on the same processors.
func startStack(ctx context.Context, server, model string) (*stack, error) {
	s := &stack{process: exec.CommandContext(ctx, "node", server, model)}
	s.process.Stderr = os.Stderr
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting node: %w; see test/bench/README.md", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server %s said no address; see test/bench/README.md: %w", server, err), s.close())
	}
	s.address = strings.TrimSpace(line)
	s.client, err = openai.New(openai.WithBaseURL(s.address+"/v1"), openai.WithToken("none"), openai.WithModel("local"))
	return s, err
}

func (s *stack) close() error {
	if err := s.process.Process.Kill(); err != nil {
		return err
	}
	_ = s.process.Wait() // it was killed
	return nil
}

// ask sends JSON and reads JSON.
func (s *stack) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, text)
	}
	return json.Unmarshal(text, out)
}

// script tells the server what to say.
func (s *stack) script(ctx context.Context, replies []reply) error {
	var in struct {
		Replies [][]int32 `json:"replies"`
	}
	for _, r := range replies {
		in.Replies = append(in.Replies, r.message.Tokens)
	}
	return s.ask(ctx, http.MethodPost, "/script", in, &struct{}{})
}

// last is what the server says of a completion.
type last struct {
	Prompt     string  `json:"prompt"`
	IDs        []int32 `json:"ids"`
	PromptN    int     `json:"prompt_tokens"`
	Cached     int     `json:"cached_tokens"`
	Completion int     `json:"completion_tokens"`
	PrefillMS  float64 `json:"prefill_ms"`
	DecodeMS   float64 `json:"decode_ms"`
	CPU        int64   `json:"cpu_us"`
}

// turn takes the turn in the loop that langchaingo's own example of tool calls has. Between the steps it asks the server what
// they cost, which is not counted.
func (s *stack) turn(ctx context.Context) (cost, []last, error) {
	var c cost
	var all []last
	var before last
	if err := s.ask(ctx, http.MethodPost, "/reset", struct{}{}, &struct{}{}); err != nil {
		return c, nil, err
	}
	if err := s.ask(ctx, http.MethodGet, "/last", struct{}{}, &before); err != nil {
		return c, nil, err
	}
	var offered []llms.Tool
	for _, t := range turnTools {
		offered = append(offered, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
			Name: t.name, Description: t.description, Parameters: json.RawMessage(t.schema),
		}})
	}
	messages := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, system), llms.TextParts(llms.ChatMessageTypeHuman, question),
	}
	cpu := cpuTime()
	for range toolSteps + 1 {
		begin := time.Now()
		response, err := s.client.GenerateContent(ctx, messages, llms.WithTools(offered), llms.WithTemperature(0))
		if err != nil {
			return c, nil, err
		}
		choice := response.Choices[0]
		answer := llms.MessageContent{Role: llms.ChatMessageTypeAI}
		for _, call := range choice.ToolCalls {
			answer.Parts = append(answer.Parts, call)
		}
		messages = append(messages, answer)
		for _, call := range choice.ToolCalls {
			var arguments map[string]any
			if err := json.Unmarshal([]byte(call.FunctionCall.Arguments), &arguments); err != nil {
				return c, nil, fmt.Errorf("call of %s: %w", call.FunctionCall.Name, err)
			}
			messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: resultOf(call.FunctionCall.Name)},
			}})
		}
		c.wall += time.Since(begin)
		var l last
		if err := s.ask(ctx, http.MethodGet, "/last", struct{}{}, &l); err != nil {
			return c, nil, err
		}
		all = append(all, l)
		c.steps = append(c.steps, step{l.PromptN, l.Cached, l.Completion, l.Completion, milliseconds(l.PrefillMS), milliseconds(l.DecodeMS)})
	}
	c.cpu = cpuTime() - cpu + time.Duration(all[len(all)-1].CPU-before.CPU)*time.Microsecond
	return c, all, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// resultOf runs a tool.
func resultOf(name string) string {
	for _, t := range turnTools {
		if t.name == name {
			return t.run()
		}
	}
	return "there is no such tool"
}
