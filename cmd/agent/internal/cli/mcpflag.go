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

// openServers connects to MCP servers, all at once, each a command line or an address. Those that it returns are to be
// closed even if there is an error.
func openServers(ctx context.Context, s Streams, servers []string) ([]*mcp.Client, error) {
	if len(servers) == 0 {
		return nil, nil
	}
	options := mcp.Options{Logger: slog.New(slog.NewTextHandler(s.Err, nil))}
	clients, problems := make([]*mcp.Client, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() { clients[i], problems[i] = openServer(ctx, server, options) })
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

func openServer(ctx context.Context, server string, options mcp.Options) (*mcp.Client, error) {
	if mcp.IsAddress(server) {
		return mcp.Dial(ctx, server, options)
	}
	command, err := splitCommand(server)
	if err != nil {
		return nil, misused("--mcp %q: %w", server, err)
	}
	return mcp.Command(ctx, command, options)
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
