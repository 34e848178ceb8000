// Command maskbench runs the schemas of MaskBench through package grammar and prints how many pass, are
// refused, reject a legal instance (over) or accept an illegal one (under), with compile and mask times.
//
//	go run ./llm/grammar/maskbench -schemas quarter.jsonl.gz -vocabulary tokenizer.model.gz
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/drover-ai/drover/llm/grammar"
)

type entry struct {
	Name   string
	Schema json.RawMessage
	Tests  []struct {
		Valid bool
		Data  json.RawMessage
	}
}

func main() {
	schemas := flag.String("schemas", "", "gzipped JSON lines with name, schema, tests")
	vocabulary := flag.String("vocabulary", "", "gzipped tokenizer.model; without it masks are not timed")
	every := flag.Int("mask-every", 10, "time the masks of every n-th schema")
	show := flag.Int("show", 10, "print so many reasons of refusals and misjudged instances")
	flag.Parse()
	if err := run(*schemas, *vocabulary, *every, *show); err != nil {
		fmt.Fprintln(os.Stderr, "maskbench:", err)
		os.Exit(1)
	}
}

func run(schemas, vocabulary string, every, show int) error {
	var v *grammar.Vocabulary
	var longest int
	ids := map[string]grammar.Token{}
	if vocabulary != "" {
		pieces, err := readVocabulary(vocabulary)
		if err != nil {
			return err
		}
		for i, p := range pieces {
			ids[string(p)] = grammar.Token(i)
			longest = max(longest, len(p))
		}
		start := time.Now()
		v = grammar.NewVocabulary(pieces, nil)
		fmt.Printf("vocabulary: %d tokens, tables in %v\n", len(pieces), time.Since(start).Round(time.Millisecond))
	}
	data, err := readGzip(schemas)
	if err != nil {
		return err
	}
	var total, passing, refused, over, under int
	reasons := map[string]int{}
	var compile, masks []time.Duration
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<26)
	for ; lines.Scan(); total++ {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return err
		}
		start := time.Now()
		g, err := grammar.CompileSchema(e.Schema, grammar.Options{})
		compile = append(compile, time.Since(start))
		if err != nil {
			refused++
			var s *grammar.SchemaError
			if errors.As(err, &s) {
				reasons[s.Reason]++
			}
			continue
		}
		isOver, isUnder := false, false
		for _, test := range e.Tests {
			text, err := grammar.Respell(e.Schema, test.Data, grammar.Options{})
			if err != nil {
				return err
			}
			ok, at, why := grammar.Match(g, text)
			if ok != test.Valid {
				if show > 0 {
					show--
					fmt.Printf("%s: valid %v, accepted %v: %s (byte %d of %.200s)\n", e.Name, test.Valid, ok, why, at, text)
				}
				isOver, isUnder = isOver || test.Valid, isUnder || !test.Valid
			} else if ok && v != nil && total%every == 0 {
				masks = replay(grammar.NewMatcher(g, v, nil), text, ids, longest, masks)
			}
		}
		switch {
		case isUnder:
			under++
		case isOver:
			over++
		default:
			passing++
		}
	}
	fmt.Printf("schemas %d: passing %d (%.1f %%), refused %d, over-constrained %d, under-constrained %d\n", total, passing, 100*float64(passing)/float64(max(total, 1)), refused, over, under)
	quantiles("compile", compile)
	quantiles("mask", masks)
	var names []string
	for r := range reasons {
		names = append(names, r)
	}
	sort.Slice(names, func(a, b int) bool { return reasons[names[a]] > reasons[names[b]] })
	for _, r := range names[:min(len(names), 25)] {
		fmt.Printf("%6d %s\n", reasons[r], r)
	}
	return lines.Err()
}

// replay writes text by its longest tokens and times the mask before each.
func replay(m *grammar.Matcher, text string, ids map[string]grammar.Token, longest int, times []time.Duration) []time.Duration {
	mask := make([]uint64, (len(ids)+63)/64+1)
	for len(text) > 0 {
		n := min(len(text), longest)
		id, ok := ids[text[:n]]
		for ; !ok && n > 1; id, ok = ids[text[:n]] {
			n--
		}
		start := time.Now()
		if err := m.Allowed(mask); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return times
		}
		times = append(times, time.Since(start))
		if mask[id>>6]>>(id&63)&1 == 0 {
			fmt.Fprintf(os.Stderr, "the mask lacks %q\n", text[:n])
			return times
		}
		if err := m.Accept(id); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return times
		}
		text = text[n:]
	}
	return times
}

func quantiles(name string, d []time.Duration) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[int(p*float64(len(d)-1))] }
	fmt.Printf("%s n=%d p50 %v p90 %v p99 %v p99.9 %v max %v\n", name, len(d), at(.5), at(.9), at(.99), at(.999), at(1))
}

func readGzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(z)
}

func readVocabulary(path string) ([][]byte, error) {
	data, err := readGzip(path)
	if err != nil {
		return nil, err
	}
	var pieces [][]byte
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		text, rank, _ := strings.Cut(line, " ")
		piece, err := base64.StdEncoding.DecodeString(text)
		if n, e := strconv.Atoi(rank); err != nil || e != nil || n != len(pieces) {
			return nil, fmt.Errorf("%s: line %d is not a base64 token and its rank %d", path, i+1, len(pieces))
		}
		pieces = append(pieces, piece)
	}
	return pieces, nil
}
