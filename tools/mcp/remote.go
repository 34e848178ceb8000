package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/cut"
)

// remote is a tool of a server.
type remote struct {
	client     *Client
	theirs     string // the server's name for it
	definition prompts.ToolDefinition
	effects    tools.Effects
	repeatable bool
}

func newRemote(c *Client, tool *sdk.Tool) (*remote, error) {
	name := validName(tool.Name)
	if name == "" {
		return nil, fmt.Errorf("its name %q has none of the characters that names are made of", shorten(tool.Name, 100))
	}
	parameters, ok := c.schemas.of(tool.Name)
	if !ok {
		var err error
		if parameters, err = json.Marshal(tool.InputSchema); err != nil {
			return nil, fmt.Errorf("its schema: %w", err)
		}
	}
	t := &remote{
		client: c, theirs: tool.Name, effects: tools.Anything,
		definition: prompts.ToolDefinition{Name: name, Description: strings.TrimSpace(tool.Description), Parameters: parameters},
	}
	hints := tool.Annotations
	if t.definition.Description == "" && tool.Title != "" {
		t.definition.Description = tool.Title
	}
	if t.definition.Description == "" {
		t.definition.Description = fmt.Sprintf("The tool %s of %s.", name, c.name)
	}
	if c.options.TrustAnnotations && hints != nil {
		if hints.ReadOnlyHint {
			t.effects &^= tools.Writes
		}
		if hints.OpenWorldHint != nil && !*hints.OpenWorldHint {
			t.effects &^= tools.Network
		}
		t.repeatable = hints.ReadOnlyHint || hints.IdempotentHint
	}
	return t, nil
}

// renamed is the same tool under another name of ours.
func (t *remote) renamed(name string) *remote {
	other := *t
	other.definition.Name = name
	return &other
}

// Definition implements [tools.Tool].
func (t *remote) Definition() prompts.ToolDefinition { return t.definition }

// Effects is everything, unless the server is trusted to know.
func (t *remote) Effects() tools.Effects { return t.effects }

// Repeatable is false, unless the server is trusted to know.
func (t *remote) Repeatable() bool { return t.repeatable }

// Timeout is the limit on a call's time.
func (t *remote) Timeout() time.Duration { return t.client.options.CallTimeout }

// Preview implements [tools.Previewer]: it says whose tool would run.
func (t *remote) Preview(context.Context, json.RawMessage) (string, error) {
	return fmt.Sprintf("This is the tool %s of the MCP server %s (%s).", t.theirs, t.client.name, t.client.where), nil
}

// Call implements [tools.Tool].
func (t *remote) Call(ctx context.Context, arguments json.RawMessage) (tools.Result, error) {
	result, err := t.client.call(ctx, t.theirs, arguments)
	if err != nil {
		return tools.Result{}, t.callError(err)
	}
	text, missing := cut.Text(textOf(result), t.client.options.MaxResult)
	if result.IsError {
		if strings.TrimSpace(text) == "" {
			text = "the tool failed and does not say why"
		}
		return tools.Result{}, &tools.CallError{Tool: t.definition.Name, Kind: tools.Failed, Err: &hiddenError{errors.New(text), t.client.hidden}}
	}
	return tools.Result{Content: text, Cut: missing}, nil
}

// callError gives an error of a call its kind.
func (t *remote) callError(err error) error {
	kind := tools.Failed
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		kind = tools.TimedOut
	case errors.Is(err, context.Canceled):
		kind = tools.Canceled
	}
	return &tools.CallError{Tool: t.definition.Name, Kind: kind, Err: err}
}

// textOf is what a model reads of a result: its texts, and of everything else that it is there. A result that is only
// structured is its JSON; one with both says the same twice, and its text is as the server wants it read.
func textOf(result *sdk.CallToolResult) string {
	var parts []string
	for _, content := range result.Content {
		switch c := content.(type) {
		case *sdk.TextContent:
			parts = append(parts, c.Text)
		case *sdk.ImageContent:
			parts = append(parts, fmt.Sprintf("[an image, %s, %d bytes, which cannot be shown]", c.MIMEType, len(c.Data)))
		case *sdk.AudioContent:
			parts = append(parts, fmt.Sprintf("[a sound, %s, %d bytes, which cannot be played]", c.MIMEType, len(c.Data)))
		case *sdk.ResourceLink:
			parts = append(parts, fmt.Sprintf("[a link to %s: %s]", c.Name, c.URI))
		case *sdk.EmbeddedResource:
			switch r := c.Resource; {
			case r == nil:
			case len(r.Blob) > 0:
				parts = append(parts, fmt.Sprintf("[the content of %s, %s, %d bytes, which cannot be shown]", r.URI, r.MIMEType, len(r.Blob)))
			default:
				parts = append(parts, r.Text)
			}
		default:
			parts = append(parts, fmt.Sprintf("[content of a kind that is not known here, %T]", content))
		}
	}
	if len(parts) == 0 && result.StructuredContent != nil {
		if text, err := json.Marshal(result.StructuredContent); err == nil {
			return string(text)
		}
	}
	return strings.Join(parts, "\n")
}
