package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/drover-ai/drover/tools/mcp"
)

// openServers connects to the MCP servers of the flags and of the configuration file, all at once. Those that it returns are to
// be closed even if there is an error.
func (f *toolFlags) openServers(ctx context.Context, s Streams) ([]*mcp.Client, error) {
	if !f.servers {
		return nil, nil
	}
	log := slog.New(slog.NewTextHandler(s.Err, nil))
	specs, err := flagServers(f.mcp, f.headers)
	if err != nil {
		return nil, err
	}
	file, err := readConfiguration()
	if err != nil {
		return nil, err
	}
	configured, err := file.servers(log)
	if err != nil {
		return nil, err
	}
	specs = append(specs, configured...)
	clients, problems := make([]*mcp.Client, len(specs)), make([]error, len(specs))
	var all sync.WaitGroup
	for i, spec := range specs {
		all.Go(func() {
			spec.options.Logger = log
			if spec.address != "" {
				clients[i], problems[i] = mcp.Dial(ctx, spec.address, spec.options)
			} else {
				clients[i], problems[i] = mcp.Command(ctx, spec.command, spec.options)
			}
		})
	}
	all.Wait()
	var open []*mcp.Client
	for _, c := range clients {
		if c != nil {
			open = append(open, c)
		}
	}
	return open, errors.Join(problems...)
}

// closeServers ends the servers, all at once: each may take its time.
func closeServers(clients []*mcp.Client) {
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { c.Close() })
	}
	all.Wait()
}

// splitCommand takes a command line apart into its words as a shell would, and does nothing else that a shell does: '…' and
// "…" keep what is in them together, and a backslash outside of '…' takes the next character as it is.
func splitCommand(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	began := false // a word may be empty: ''
	var quote rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, began = true, true
		case r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, began = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if began {
				words = append(words, word.String())
				word.Reset()
				began = false
			}
		default:
			began = true
			word.WriteRune(r)
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	case escaped:
		return nil, errors.New("nothing follows the backslash at its end")
	}
	if began {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("want a command line, or an address that begins with http:// or https://")
	}
	return words, nil
}
