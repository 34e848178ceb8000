package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// The turn that both sides take: a question, three steps that each call a tool, and an answer.
const (
	toolSteps    = 3
	answerTokens = 64
	system       = "You are the assistant of a travel agency. Look things up before you answer, one thing at a time, and answer in a few sentences."
	question     = "A customer wants to go to Oslo in May for a week. What will the weather be, what do our documents say about museums there, and how much are 1,200 dollars in Norwegian kroner?"
)

// tool is a function with its schema, in the bytes that both sides show the model.
type tool struct {
	name, description, schema, result string
}

// Arguments are short, so that a call ends although random weights never would.
var turnTools = []tool{
	{
		"get_weather", "Get the weather of a city in a month of the year: temperatures, rain and hours of light, as they were over the last thirty years.",
		`{"type":"object","properties":{"city":{"type":"string","description":"The city's name in English, without the country","maxLength":16},"month":{"type":"string","enum":["January","February","March","April","May","June","July","August","September","October","November","December"]}},"required":["city","month"],"additionalProperties":false}`,
		"May in Oslo: days of 16 degrees, nights of 6 degrees, warmest day on record 28 degrees. Rain falls on ten days of the month, 53 millimeters in all, mostly as showers in the afternoon. Snow is gone from the city, but lies above 600 meters until the middle of the month. The sun rises at 4:50 and sets at 21:40 on the fifteenth.",
	},
	{
		"search_documents", "Search the agency's own travel guides, price lists and notes of colleagues. Returns the best passages with their titles.",
		`{"type":"object","properties":{"query":{"type":"string","description":"What to look for, in a few words","maxLength":24},"limit":{"type":"integer","description":"How many passages to return","minimum":1,"maximum":9}},"required":["query","limit"],"additionalProperties":false}`,
		"1. Guide to Oslo, page 12: The National Museum opens at ten and is closed on Mondays; tickets cost 200 kroner, and the card of the city includes them. 2. Notes of a colleague, April: the museum of the ship Fram is a good choice for rainy afternoons with children, and the ferry to it runs from the town hall every twenty minutes. 3. Price list: the card of the city for 72 hours costs 895 kroner for adults, half of that for children.",
	},
	{
		"convert_currency", "Convert an amount of money at today's rate of the central bank, fees not included.",
		`{"type":"object","properties":{"amount":{"type":"integer","description":"How much money, in whole units","minimum":1,"maximum":9999},"from":{"type":"string","description":"Code of three letters","pattern":"^[A-Z]{3}$"},"to":{"type":"string","description":"Code of three letters","pattern":"^[A-Z]{3}$"}},"required":["amount","from","to"],"additionalProperties":false}`,
		"1200 USD are 12,341.52 NOK at a rate of 10.2846, set at 14:15 today. The rate has changed by 0.4 per cent since yesterday and by 2.1 per cent within a month. Cards usually add one to two per cent.",
	},
}

// run is the tool's function.
func (t tool) run() string { return t.result }

// droverTool makes a tool of the agent of it.
func (t tool) droverTool() tools.Tool { return scripted{t} }

type scripted struct{ tool tool }

func (s scripted) Definition() prompts.ToolDefinition {
	return prompts.ToolDefinition{Name: s.tool.name, Description: s.tool.description, Parameters: json.RawMessage(s.tool.schema)}
}

// Effects says that the tool needs no approval.
func (s scripted) Effects() tools.Effects { return tools.Reads }

func (s scripted) Call(context.Context, json.RawMessage) (tools.Result, error) {
	return tools.Text(s.tool.run()), nil
}

// step is what one model call of a turn cost.
type step struct {
	prompt, cached, completion int
	written                    int // tokens of the completion that are part of the conversation, the stop token not
	prefill, decode            time.Duration
}

// cost is what a turn cost.
type cost struct {
	wall, cpu time.Duration
	steps     []step
}

// total adds the steps up.
func (c cost) total() (s step) {
	for _, one := range c.steps {
		s.prompt += one.prompt
		s.cached += one.cached
		s.completion += one.completion
		s.prefill += one.prefill
		s.decode += one.decode
	}
	return s
}

// framework is the time outside the model.
func (c cost) framework() time.Duration {
	s := c.total()
	return c.wall - s.prefill - s.decode
}

// tail is how many tokens at the end of a call may not have been computed yet: the ones that the grammar forced, after which
// nobody asked what follows. The next prompt computes them, for the first time.
const tail = 2

// checkReuse returns an error if a step computed anything again: from the second step on, all that the step before read and
// wrote must be there, but for the tail.
func checkReuse(steps []step) error {
	if len(steps) != toolSteps+1 {
		return fmt.Errorf("the turn has %d steps, want %d with a call and an answer", len(steps), toolSteps)
	}
	var wrong []string
	for i, s := range steps[1:] {
		before := steps[i]
		if held := before.prompt + before.written - tail; s.cached < held {
			wrong = append(wrong, fmt.Sprintf("step %d had %d of its %d tokens; step %d left %d", i+2, s.cached, s.prompt, i+1, held))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("computed again: %s", strings.Join(wrong, "; "))
	}
	return nil
}
