package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/drover-ai/drover/tools/mcp"
)

// serverSpec is an MCP server to connect to.
type serverSpec struct {
	address string   // or
	command []string // a process
	options mcp.Options
}

// configuredServer is an entry of "mcpServers" in the configuration file, in the form that Claude and Cursor have.
type configuredServer struct {
	Command  string            `json:"command"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	Disabled bool              `json:"disabled"`
}

// silent are keys of an entry that say what is known anyway.
var silent = []string{"command", "args", "env", "url", "headers", "disabled", "type", "transport", "description", "name"}

// servers reads the servers of the configuration file, by their names.
func (c configuration) servers(log *slog.Logger) ([]serverSpec, error) {
	raw, ok := c.values["mcpServers"]
	if !ok {
		return nil, nil
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, misused("configuration %s: \"mcpServers\" wants an object of names and servers", c.path)
	}
	var specs []serverSpec
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		spec, disabled, err := readServer(entries[name], log.With("server", name))
		if err != nil {
			return nil, misused("configuration %s: mcpServers, %q: %w", c.path, name, err)
		}
		if !disabled {
			spec.options.Name = name
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

func readServer(raw json.RawMessage, log *slog.Logger) (spec serverSpec, disabled bool, err error) {
	var entry configuredServer
	var keys map[string]json.RawMessage
	if json.Unmarshal(raw, &keys) != nil || json.Unmarshal(raw, &entry) != nil { // the decoder's errors may quote a value
		return spec, false, fmt.Errorf("want an object with \"command\" and \"args\", or with \"url\" and \"headers\"")
	}
	if entry.Disabled {
		return spec, true, nil
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case key == "allowedTools" || key == "excludedTools":
			return spec, false, fmt.Errorf("%q is not known here; choose tools by --tools", key)
		case !slices.Contains(silent, key):
			log.Warn("key of mcpServers without a meaning here", "key", key)
		}
	}
	if (entry.Command == "") == (entry.URL == "") {
		return spec, false, fmt.Errorf("want one of \"command\" and \"url\"")
	}
	x := &expander{}
	if entry.URL != "" {
		spec.address = x.expand(entry.URL)
		spec.options.Headers = http.Header{}
		for name, value := range entry.Headers {
			spec.options.Headers.Set(name, x.expand(value))
		}
		if x.err == nil && !mcp.IsAddress(spec.address) {
			return spec, false, fmt.Errorf("\"url\" wants an address that begins with http:// or https://")
		}
	} else {
		spec.command = []string{x.expand(entry.Command)}
		for _, arg := range entry.Args {
			spec.command = append(spec.command, x.expand(arg))
		}
		spec.options.Environment = os.Environ()
		for name, value := range entry.Env {
			value = x.expand(value)
			spec.options.Environment = append(spec.options.Environment, name+"="+value)
			x.secrets = append(x.secrets, value)
		}
	}
	spec.options.Secrets = x.secrets
	return spec, false, x.err
}

// expander puts variables of the environment into texts, written ${NAME}, ${NAME:-default}, ${env:NAME} or ${env://NAME}. Their
// values are taken for secrets. Its error is the first.
type expander struct {
	secrets []string
	err     error
}

func (x *expander) expand(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			x.fail(fmt.Errorf("a ${ is not closed"))
			return ""
		}
		name = strings.TrimPrefix(strings.TrimPrefix(name, "env:"), "//")
		name, otherwise, optional := strings.Cut(name, ":-")
		value, set := os.LookupEnv(name)
		switch {
		case set:
			x.secrets = append(x.secrets, value)
		case optional:
			value = otherwise
		default:
			x.fail(fmt.Errorf("the variable %s is not in the environment", name))
		}
		b.WriteString(value)
		text = after
	}
}

func (x *expander) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

// flagServers are those of --mcp, with the headers of --mcp-header.
func flagServers(servers, headers []string) ([]serverSpec, error) {
	var specs []serverSpec
	addresses := 0
	x := &expander{}
	wanted := http.Header{}
	for i, header := range headers {
		name, value, found := strings.Cut(header, ":")
		if name = strings.TrimSpace(name); !found || name == "" { // the text may be a secret
			return nil, misused("--mcp-header number %d: want 'NAME: VALUE'", i+1)
		}
		wanted.Add(name, x.expand(strings.TrimSpace(value)))
	}
	if x.err != nil {
		return nil, misused("--mcp-header: %w", x.err)
	}
	for i, server := range servers {
		if mcp.IsAddress(server) {
			addresses++
			specs = append(specs, serverSpec{address: server, options: mcp.Options{Headers: wanted, Secrets: x.secrets}})
			continue
		}
		command, err := splitCommand(server)
		if err != nil {
			return nil, misused("--mcp number %d: %w", i+1, err) // the text may have a secret in it
		}
		specs = append(specs, serverSpec{command: command})
	}
	if len(headers) > 0 && addresses != 1 {
		return nil, misused("--mcp-header is for one --mcp that is an address, got %d; give several their own in \"mcpServers\" of the configuration file", addresses)
	}
	return specs, nil
}
