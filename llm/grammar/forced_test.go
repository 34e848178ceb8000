package grammar

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// words is a vocabulary of all bytes and some longer tokens, and its encoder takes the longest token at every place: what is
// canonical is then plain to see.
func words(longer ...string) (*Vocabulary, func(dst []Token, text string) []Token) {
	var pieces [][]byte
	for b := range 256 {
		pieces = append(pieces, []byte{byte(b)})
	}
	for _, s := range longer {
		pieces = append(pieces, []byte(s))
	}
	v := NewVocabulary(pieces, nil)
	return v, func(dst []Token, text string) []Token {
		for len(text) > 0 {
			best := Token(text[0])
			for id, p := range pieces {
				if len(p) > len(pieces[best]) && len(text) >= len(p) && text[:len(p)] == string(p) {
					best = Token(id)
				}
			}
			dst = append(dst, best)
			text = text[len(pieces[best]):]
		}
		return dst
	}
}

func TestForcedHoldsBackWhatMayGoOn(t *testing.T) {
	v, encode := words(`{"`, `":"`, `":`, `unit`, `units`, `cel`, `celsius`, `kel`, `":"x`, ` of`, ` offer`, `list`, `"}`)
	for _, c := range []struct {
		schema string
		want   string
	}{
		// A string may begin with x, and the colon has a token with that.
		{`{"type":"object","properties":{"unit":{"type":"string"}},"required":["unit"],"additionalProperties":false}`, `{"unit`},
		// It may not: the colon goes with the quote.
		{`{"type":"object","properties":{"unit":{"enum":["celsius","kelvin"]}},"required":["unit"],"additionalProperties":false}`, `{"unit":"`},
		// "unit" begins "units", which may come; that " of" begins " offer" does not matter, nor that they stand before.
		{`{"type":"object","properties":{"list of unit":{"type":"null"},"list of units":{"type":"null"}},"additionalProperties":false,"minProperties":1}`, `{"list of `},
		// What is complete has nothing behind it.
		{`{"const":"celsius"}`, `"celsius"`},
		// "cel" may go on as it must, and otherwise.
		{`{"enum":["celery","celsius"]}`, `"`},
		{`{"enum":["kelp","kelvin"]}`, `"kel`},
	} {
		g, err := CompileSchema([]byte(c.schema), Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := NewMatcher(g, v, encode)
		forced := m.Forced(nil)
		if want := encode(nil, c.want); !slices.Equal(forced, want) {
			t.Errorf("%s: forced %q, want %q", c.schema, pieces(v, forced), pieces(v, want))
		}
		for _, id := range forced { // it is what comes, and the matcher has not moved
			if err := m.Accept(id); err != nil {
				t.Errorf("%s: %v", c.schema, err)
			}
		}
	}
}

func pieces(v *Vocabulary, tokens []Token) (out []string) {
	for _, id := range tokens {
		out = append(out, string(v.pieces[id]))
	}
	return out
}

// Whatever is written, its forced tokens are those of the canonical encoding of the whole, and the others are few.
func TestForcedTokensAreCanonical(t *testing.T) {
	v, encode := words(`{"`, `","`, `":"`, `":`, `"}`, `],"`, `:[`, `":["`, `"]`, `title`, `start`, `minutes`, `guests`, `color`, `red`,
		`redder`, `green`, `false`, `true`, `null`, `,"`, ` the`, `of`, `number`, `10`, `100`, `:1`, `:true`, `},{"`, `":{"`, `"t`, `s"`)
	forced, all := 0, 0
	for i, schema := range append(append([]string(nil), sampled...),
		`{"type":"object","properties":{"title of the first":{"type":"string"},"title of the number":{"enum":["red","redder","green"]},"minutes":{"type":"boolean"},"guests":{"type":"array","items":{"const":"true"},"minItems":2,"maxItems":3}},"required":["title of the first","title of the number","minutes","guests"],"additionalProperties":false}`) {
		g, err := CompileSchema([]byte(schema), Options{Ordered: i%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(uint64(i), seed))
			m := NewMatcher(g, v, encode)
			for step := 0; step < 60 && !m.Done(); step++ {
				if err := m.Accept(draw(t, m, r, false)); err != nil {
					t.Fatal(err)
				}
			}
			closing, err := m.Closing(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range closing {
				if err := m.Accept(id); err != nil {
					t.Fatal(err)
				}
			}
			text := string(m.text)
			canonical := encode(nil, text)
			m = NewMatcher(g, v, encode)
			for at := 0; at < len(canonical); {
				list := m.Forced(nil)
				for k, id := range list {
					if at+k >= len(canonical) || id != canonical[at+k] {
						t.Fatalf("%s: %s: behind %q forced %q, want %q", schema, text, m.text, pieces(v, list), pieces(v, canonical[at:]))
					}
				}
				forced += len(list)
				if len(list) == 0 {
					list = canonical[at : at+1]
				}
				for _, id := range list {
					if err := m.Accept(id); err != nil {
						t.Fatalf("%s: behind %q: %v", schema, m.text, err)
					}
				}
				at += len(list)
			}
			all += len(canonical)
		}
	}
	t.Logf("%d of %d tokens are forced", forced, all)
	if forced*10 < all {
		t.Errorf("%d of %d tokens are forced", forced, all)
	}
}
