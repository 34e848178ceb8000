// Command maskbench runs the schemas of MaskBench through package grammar. It prints how many pass, are
// refused, reject a legal instance (over-constrained) or accept an illegal one (under-constrained), for all
// schemas and for those of tools, with compile times and, with a tokenizer, mask times along the legal
// instances.
//
//	go run ./llm/grammar/maskbench -schemas quarter.jsonl.gz -tokenizer tokenizer.json.gz
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"

	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/llm/tokenizer"
)

// entry is one line of MaskBench.
type entry struct {
	Name   string
	Schema json.RawMessage
	Tests  []struct {
		Valid bool
		Data  json.RawMessage
	}
}

func main() {
	b := &bench{reasons: map[string]int{}}
	schemas := flag.String("schemas", "", "gzipped JSON lines with name, schema, tests")
	tokens := flag.String("tokenizer", "", "gzipped tokenizer.json; without it masks are not timed")
	flag.IntVar(&b.every, "mask-every", 1, "time the masks of every n-th schema")
	flag.StringVar(&b.only, "only", "", "take the schemas whose name holds this text")
	flag.IntVar(&b.show, "show", 10, "print so many misjudged instances, slow masks and slow schemas, and reasons of refusals")
	flag.StringVar(&b.profile, "cpuprofile", "", "write a profile of the processor time to this file")
	flag.Parse()
	if err := b.run(*schemas, *tokens); err != nil {
		fmt.Fprintln(os.Stderr, "maskbench:", err)
		os.Exit(1)
	}
}

type bench struct {
	tokenizer  *tokenizer.Tokenizer
	vocabulary *grammar.Vocabulary
	mask       []uint64
	every      int
	only       string
	profile    string
	slow       slowSchemas
	show       int
	shown      int
	reasons    map[string]int
	all, tools set
}

// set is a group of schemas.
type set struct {
	total, passing, refused, over, under int
	compile, large, masks, again         times
}

func (s *set) print(name string) {
	fmt.Printf("%s: schemas %d, passing %d (%.1f %%), refused %d, over-constrained %d, under-constrained %d\n",
		name, s.total, s.passing, 100*float64(s.passing)/float64(max(s.total, 1)), s.refused, s.over, s.under)
	s.compile.print("  compile")
	s.large.print("  compile, 16 to 48 KB")
	s.masks.print("  mask, first time")
	s.again.print("  mask, second time")
}

func (b *bench) run(schemas, tokens string) error {
	// The time of a thread is that of its work, whatever else runs on the machine.
	runtime.LockOSThread()
	if tokens != "" {
		if err := b.load(tokens); err != nil {
			return err
		}
	}
	if b.profile != "" {
		out, err := os.Create(b.profile)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	f, err := os.Open(schemas)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", schemas, err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return err
		}
		if !strings.Contains(e.Name, b.only) {
			continue
		}
		sets := []*set{&b.all}
		for _, prefix := range []string{"BFCL", "Glaive", "MCP"} {
			if strings.HasPrefix(e.Name, prefix) {
				sets = append(sets, &b.tools)
			}
		}
		if err := b.schema(&e, sets); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	b.all.print("all")
	b.tools.print("tools")
	printReasons(b.reasons, b.show)
	b.slow.print(b.show)
	return lines.Err()
}

func (b *bench) load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if b.tokenizer, err = tokenizer.FromHuggingFace(z); err != nil {
		return err
	}
	pieces := make([][]byte, b.tokenizer.VocabSize())
	for id := range pieces {
		pieces[id] = b.tokenizer.Piece(grammar.Token(id))
	}
	start := now()
	b.vocabulary = grammar.NewVocabulary(pieces, b.tokenizer.IsSpecial)
	b.mask = make([]uint64, b.vocabulary.Words())
	fmt.Printf("vocabulary: %d tokens, tables in %v\n", len(pieces), now()-start)
	return nil
}

// schema tries all instances of one schema.
func (b *bench) schema(e *entry, sets []*set) error {
	start := now()
	g, err := grammar.CompileSchema(e.Schema, grammar.Options{})
	took := now() - start
	for _, s := range sets {
		s.total++
		s.compile = append(s.compile, took)
		if n := len(e.Schema); n >= 16<<10 && n < 48<<10 {
			s.large = append(s.large, took)
		}
	}
	if took > slowCompile && b.shown < b.show {
		b.shown++
		fmt.Printf("%s: compiled in %v, %d bytes\n", e.Name, took, len(e.Schema))
	}
	if err != nil {
		var refused *grammar.SchemaError
		if !errors.As(err, &refused) {
			return err
		}
		b.reasons[refused.Reason]++
		for _, s := range sets {
			s.refused++
		}
		return nil
	}
	over, under := false, false
	for _, test := range e.Tests {
		text, err := grammar.Respell(e.Schema, test.Data, grammar.Options{})
		if err != nil {
			return err
		}
		ok, at, why := grammar.Match(g, text)
		if ok != test.Valid {
			if b.shown < b.show {
				b.shown++
				fmt.Printf("%s: valid %v, accepted %v: %s (byte %d of %.200s)\n", e.Name, test.Valid, ok, why, at, text)
			}
			over, under = over || test.Valid, under || !test.Valid
			continue
		}
		if ok && b.tokenizer != nil && b.all.total%b.every == 0 {
			if err := b.replay(e.Name, g, text, sets); err != nil {
				return err
			}
		}
	}
	for _, s := range sets {
		switch {
		case under:
			s.under++
		case over:
			s.over++
		default:
			s.passing++
		}
	}
	return nil
}

// replay writes text by its canonical tokens and times the mask before each: once as they come, for the
// first instance of a schema with nothing kept, and once more from the beginning.
func (b *bench) replay(name string, g *grammar.Grammar, text string, sets []*set) error {
	ids := b.tokenizer.Encode(nil, text)
	for round := range 2 {
		m := grammar.NewMatcher(g, b.vocabulary, nil)
		at := 0
		for _, id := range ids {
			start := now()
			err := m.Allowed(b.mask)
			took := now() - start
			if err != nil {
				return err
			}
			for _, s := range sets {
				if round == 0 {
					s.masks = append(s.masks, took)
				} else {
					s.again = append(s.again, took)
				}
			}
			if round == 0 && took > slowMask {
				b.slow.add(name, took, text[:at])
			}
			if b.mask[id>>6]>>(id&63)&1 == 0 {
				return fmt.Errorf("the mask lacks %q behind %q", b.tokenizer.Piece(id), text[:at])
			}
			if err := m.Accept(id); err != nil {
				return err
			}
			at += len(b.tokenizer.Piece(id))
		}
	}
	return nil
}
