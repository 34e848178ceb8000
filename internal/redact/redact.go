// Package redact takes out of texts what only the owner of a program should read: what addresses and command lines carry besides
// where they lead.
//
// It is for errors and logs. What it cannot know to be a secret, such as a token in the path of an address, it leaves.
package redact

import (
	"regexp"
	"strings"
)

// Mark stands where something was taken out.
const Mark = "***"

// addresses finds what looks like a URL, up to what cannot be part of one.
var addresses = regexp.MustCompile("[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s\"'<>`]+")

// URLs replaces in each URL of a text the user and password, the values of the query and the fragment.
func URLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return addresses.ReplaceAllStringFunc(text, address)
}

// address works on the text of a URL: url.Parse refuses some that carry a secret all the same.
func address(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = Mark + authority[at:]
	}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	out := scheme + "://" + authority + path
	if hasQuery {
		out += "?" + values(query)
	}
	if hasFragment && fragment != "" {
		out += "#" + Mark
	}
	return out
}

// values keeps the names of a query.
func values(query string) string {
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		if name, _, named := strings.Cut(pair, "="); named {
			pairs[i] = name + "=" + Mark
		} else {
			pairs[i] = Mark
		}
	}
	return strings.Join(pairs, "&")
}

// secretName finds names of flags and variables whose values are secrets.
var secretName = regexp.MustCompile(`(?i)(^|[^a-z])(api|access|auth|private|secret|signing)?[-_]?(key|token|secret|passw(or)?d|passphrase|pwd|credentials?|auth|authorization|bearer|cookie|dsn)s?($|[^a-z])`)

// IsSecretName reports whether a flag, a variable or a header of this name is likely to have a secret as its value.
func IsSecretName(name string) bool {
	return secretName.MatchString(camel.ReplaceAllString(name, "${1}_$2"))
}

// camel finds where a word begins in apiKey.
var camel = regexp.MustCompile(`([a-z])([A-Z])`)

// Arguments returns the secrets among the words of a command line: the values of flags and variables with telling names (--api-key
// VALUE, --token=VALUE, PASSWORD=VALUE), and headers of such names ("Authorization: VALUE").
func Arguments(words []string) (secrets []string) {
	for i, word := range words {
		if name, value, found := strings.Cut(word, "="); found && !strings.Contains(name, "://") && IsSecretName(name) {
			secrets = append(secrets, value)
		} else if name, value, found := strings.Cut(word, ":"); found && !strings.HasPrefix(value, "//") && IsSecretName(name) {
			secrets = append(secrets, strings.TrimSpace(value))
		} else if i > 0 && strings.HasPrefix(words[i-1], "-") && !strings.ContainsAny(words[i-1], "=:") &&
			!strings.HasPrefix(word, "-") && IsSecretName(words[i-1]) {
			secrets = append(secrets, word)
		}
	}
	return secrets
}
