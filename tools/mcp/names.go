package mcp

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/drover-ai/drover/tools"
)

// mostName is how long the name of a tool may be; see [tools.CheckName].
const mostName = 64

// Combine puts the tools of servers behind others, in order. A tool whose name is that of one of the others, or of a tool of
// another server, gets its server's name in front: no server can take the place of a tool that is not its own.
func Combine(others []tools.Tool, clients ...*Client) []tools.Tool {
	taken := map[string]bool{}
	servers := map[string]int{} // how many servers have a tool of that name
	for _, t := range others {
		taken[t.Definition().Name] = true
	}
	for _, c := range clients {
		for _, t := range c.tools {
			servers[t.definition.Name]++
		}
	}
	all := append([]tools.Tool(nil), others...)
	for _, c := range clients { // the names that need no prefix go first, or a prefixed one could take theirs
		for _, t := range c.tools {
			if name := t.definition.Name; servers[name] == 1 && !taken[name] {
				servers[name] = 0
				taken[name] = true
			}
		}
	}
	for _, c := range clients {
		for _, t := range c.tools {
			name := t.definition.Name
			if servers[name] > 0 {
				name = unused(fitting(c.name+"_"+name), taken)
				taken[name] = true
			}
			all = append(all, t.renamed(name))
		}
	}
	return all
}

// validName makes a name of ours of a server's: what may not be in one becomes "_". A name without any letter or digit is
// empty.
func validName(theirs string) string {
	named := false
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			named = true
			return r
		case r == '_' || r == '-' || r == '.':
			return r
		}
		return '_'
	}, theirs)
	if !named {
		return ""
	}
	return fitting(name)
}

// fitting shortens a name that is too long. Different names stay different: the end is a hash.
func fitting(name string) string {
	if len(name) <= mostName {
		return name
	}
	return fmt.Sprintf("%s_%x", name[:mostName-9], sha256.Sum256([]byte(name)))[:mostName]
}

// unused is name, or with a number behind it the first that is not taken.
func unused(name string, taken map[string]bool) string {
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			suffix := fmt.Sprintf("_%d", n)
			candidate = name[:min(len(name), mostName-len(suffix))] + suffix
		}
		if !taken[candidate] {
			return candidate
		}
	}
}

// shorten cuts a text for an error.
func shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
