package sqlquery

import (
	"errors"
	"fmt"
	"strings"
)

// oneStatement returns a query without the semicolon at its end. More than one statement is refused: of several, only the
// last one's rows would be seen.
func oneStatement(query string) (string, error) {
	switch {
	case len(query) > maxQuery:
		return "", fmt.Errorf("the query has %d bytes; at most %d can be asked", len(query), maxQuery)
	case strings.ContainsRune(query, 0):
		return "", errors.New("the query has a NUL byte")
	}
	end := -1 // of the first statement
	for i := 0; i < len(query); {
		next, blank := token(query, i)
		switch {
		case query[i] == ';':
			if end < 0 {
				end = i
			}
		case !blank && end >= 0:
			return "", errors.New("more than one statement; give one SELECT")
		}
		i = next
	}
	if end >= 0 {
		query = query[:end]
	}
	if strings.TrimSpace(query) == "" {
		return "", errors.New("the query is empty")
	}
	return query, nil
}

// token finds where the token at i ends: a quoted text, a comment or a single byte. blank is whether it means nothing. Quotes
// and comments that are never closed go on to the end, as they do for SQLite.
func token(query string, i int) (next int, blank bool) {
	rest := query[i:]
	until := func(from int, mark string) int {
		if at := strings.Index(rest[min(from, len(rest)):], mark); at >= 0 {
			return i + from + at + len(mark)
		}
		return len(query)
	}
	switch {
	case strings.HasPrefix(rest, "--"):
		return until(2, "\n"), true
	case strings.HasPrefix(rest, "/*"):
		return until(2, "*/"), true
	case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`': // two in a row stand for one, and are as good as two texts here
		return until(1, rest[:1]), false
	case rest[0] == '[':
		return until(1, "]"), false
	}
	return i + 1, strings.IndexByte(" \t\n\r\f", rest[0]) >= 0
}
