package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const configurationHelp = `A flag's value comes from, in this order: the flag itself, the environment, the configuration file, the built-in default.

In the environment a flag is called AGENT_ and its name in capitals: AGENT_MODEL, AGENT_MAX_STEPS.
A flag that may be repeated, --mcp, has a value on each line there, and a list of them in the file.

The configuration file is JSON. Its path is AGENT_CONFIG, or drover/config.json in the user's configuration folder
($XDG_CONFIG_HOME or ~/.config on Linux). A key is the name of a flag; a key with an object as its value holds only for
the command of that name:

  {
    "model": "/home/me/models/Llama-3.2-3B-Instruct-Q4_0.gguf",
    "ask": { "max-steps": 12, "temperature": 0.2 }
  }

The key mcpServers has MCP servers that "ask" and "tools" always connect to, besides those of --mcp. Write ${NAME} for a
variable of the environment, so that tokens need not be in the file:

  {
    "mcpServers": {
      "notes": { "command": "agent", "args": ["mcp", "serve"] },
      "work": {
        "url": "https://example.com/mcp",
        "headers": { "Authorization": "Bearer ${TOKEN}" }
      }
    }
  }`

func newConfigurationHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "configuration",
		Short: "Where the defaults of flags come from",
		Long:  configurationHelp,
	}
}

// applyDefaults gives flags that were not set on the command line the value of the environment or of the configuration
// file, in this order.
func applyDefaults(cmd *cobra.Command, _ []string) error {
	file, err := readConfiguration()
	if err != nil {
		return err
	}
	if err := file.check(cmd.Root()); err != nil {
		return err
	}
	environment := func(flag string) (value, source string) {
		variable := "AGENT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		return os.Getenv(variable), variable + " in the environment"
	}
	if err := setFlags(cmd, environment); err != nil {
		return err
	}
	return setFlags(cmd, func(flag string) (value, source string) { return file.lookup(cmd, flag) })
}

// setFlags gives the flags that have no value yet the one that lookup knows. A flag that excludes one that is set already
// stays as it is: --no-tools on the command line wins over AGENT_TOOLS, too.
func setFlags(cmd *cobra.Command, lookup func(flag string) (value, source string)) error {
	settled := map[string]bool{"help": true, "version": true}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed {
			return
		}
		settled[flag.Name] = true
		for _, group := range flag.Annotations[exclusiveGroups] {
			for name := range strings.FieldsSeq(group) {
				settled[name] = true
			}
		}
	})
	var failed error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if settled[flag.Name] || failed != nil {
			return
		}
		value, source := lookup(flag.Name)
		if value == "" {
			return
		}
		values := []string{value}
		if flag.Value.Type() == repeated {
			values = strings.Split(value, "\n")
		}
		for _, one := range values {
			if err := cmd.Flags().Set(flag.Name, one); err != nil {
				failed = misused("%s: %w", source, err)
				return
			}
		}
	})
	return failed
}

// repeated is the type of flags that may be given several times, with values in which a comma means nothing. Where they can
// only be given once, there is a value on each line.
const repeated = "stringArray"

// exclusiveGroups is where cobra keeps the flags that exclude a flag, each group as names with spaces between them.
const exclusiveGroups = "cobra_annotation_mutually_exclusive"

// configuration is the configuration file.
type configuration struct {
	path   string
	values map[string]json.RawMessage
}

// configurationPath is where the file is expected, "" for nowhere. asked is whether AGENT_CONFIG says so.
func configurationPath() (path string, asked bool) {
	if path, asked = os.LookupEnv("AGENT_CONFIG"); asked {
		return path, true
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", false // no home, no file
	}
	return filepath.Join(folder, "drover", "config.json"), false
}

// readConfiguration reads the file, if there is one. A file that was asked for by AGENT_CONFIG must be there.
func readConfiguration() (configuration, error) {
	path, asked := configurationPath()
	if path == "" {
		return configuration{}, nil
	}
	text, err := os.ReadFile(path)
	if !asked && errors.Is(err, fs.ErrNotExist) {
		return configuration{}, nil
	}
	if err != nil {
		return configuration{}, fmt.Errorf("configuration: %w; correct AGENT_CONFIG or unset it", err)
	}
	c := configuration{path: path}
	if err := json.Unmarshal(text, &c.values); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(text[:syntax.Offset], []byte("\n"))
			return c, misused("configuration %s, line %d: %w", path, line, err)
		}
		return c, misused("configuration %s: want an object of flag names and values: %w", path, err)
	}
	return c, nil
}

// sharedKeys are keys of the file that are no flags.
var sharedKeys = map[string]bool{"mcpServers": true}

// check refuses keys that mean nothing: a misspelled key would otherwise be ignored without a word.
func (c configuration) check(root *cobra.Command) error {
	for key, value := range c.values {
		if sharedKeys[key] {
			continue
		}
		command, _, err := root.Find([]string{key})
		if err == nil && command != root && (isObject(value) || !hasFlag(root, key)) {
			var section map[string]json.RawMessage
			if err := json.Unmarshal(value, &section); err != nil {
				return misused("configuration %s: %q is a command and wants an object of flags", c.path, key)
			}
			for name := range section {
				if command.Flags().Lookup(name) == nil && !hasFlag(command, name) {
					return misused("configuration %s: %q has no flag %q", c.path, command.CommandPath(), name)
				}
			}
			continue
		}
		if !hasFlag(root, key) {
			return misused("configuration %s: %q is neither a flag nor a command", c.path, key)
		}
	}
	return nil
}

// hasFlag reports whether a command or one below it has a flag of that name.
func hasFlag(cmd *cobra.Command, name string) bool {
	if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
		return true
	}
	for _, below := range cmd.Commands() {
		if hasFlag(below, name) {
			return true
		}
	}
	return false
}

// lookup finds a flag's value for a command: in the command's section, in those of the commands above it, then at the top.
func (c configuration) lookup(cmd *cobra.Command, flag string) (value, source string) {
	source = fmt.Sprintf("configuration %s, key %q", c.path, flag)
	separator := ","
	if f := cmd.Flags().Lookup(flag); f != nil && f.Value.Type() == repeated {
		separator = "\n"
	}
	for above := cmd; above != nil && above.HasParent(); above = above.Parent() {
		var section map[string]json.RawMessage
		if json.Unmarshal(c.values[above.Name()], &section) != nil {
			continue
		}
		if raw, ok := section[flag]; ok {
			return flagText(raw, separator), source
		}
	}
	if isObject(c.values[flag]) {
		return "", source // the section of a command that is called like the flag: "tools" is both
	}
	return flagText(c.values[flag], separator), source
}

// isObject reports whether a JSON value is an object, which no flag takes and every section is.
func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
}

// flagText is a JSON value as it would be written on the command line, a list with the separator between its texts.
func flagText(raw json.RawMessage, separator string) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, separator)
	}
	return string(raw)
}
