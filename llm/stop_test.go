package llm

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// shown is what a stream should show of bytes that are all there: up to the first stop sequence to be complete, of several
// that end at one byte the longest, with U+FFFD for every byte that is not UTF-8.
func shown(all string, stops []string) (text, stop string) {
	end := len(all) + 1
	for _, s := range stops {
		if at := strings.Index(all, s); at >= 0 && (at+len(s) < end || at+len(s) == end && len(s) > len(stop)) {
			end, stop = at+len(s), s
		}
	}
	if stop != "" {
		all = all[:end-len(stop)]
	}
	return string([]rune(all)), stop
}

func TestTextStream(t *testing.T) {
	for name, c := range map[string]struct {
		pieces, stops []string
		want, stop    string
	}{
		"plain":                          {[]string{"he", "llo"}, nil, "hello", ""},
		"a character in parts":           {[]string{"a\xf0", "\x9f", "\x98", "\x80b"}, nil, "a😀b", ""},
		"a character cut off":            {[]string{"a\xf0\x9f"}, nil, "a\ufffd\ufffd", ""},
		"no character":                   {[]string{"a\xff", "\xfeb"}, nil, "a\ufffd\ufffdb", ""},
		"a start that another one ends":  {[]string{"\xe2", "x"}, nil, "\ufffdx", ""},
		"stop in one piece":              {[]string{"one END two"}, []string{"END"}, "one ", "END"},
		"stop across pieces":             {[]string{"one E", "N", "D two"}, []string{"END"}, "one ", "END"},
		"a stop begun and not ended":     {[]string{"one EN", "d"}, []string{"END"}, "one ENd", ""},
		"begun at the end":               {[]string{"one EN"}, []string{"END"}, "one EN", ""},
		"a stop in its own beginning":    {[]string{"aa", "ab"}, []string{"aab"}, "a", "aab"},
		"the first to be complete":       {[]string{"abcd"}, []string{"bcd", "c"}, "ab", "c"},
		"the longest of one end":         {[]string{"abcd"}, []string{"d", "bcd"}, "a", "bcd"},
		"a stop of half a character":     {[]string{"x\xe2\x82", "\xac"}, []string{"\x82\xac"}, "x\ufffd", "\x82\xac"},
		"a stop behind half a character": {[]string{"x\xe2", "STOP"}, []string{"STOP"}, "x\ufffd", "STOP"},
		"empty pieces":                   {[]string{"", "a", "", "b", ""}, []string{"ab"}, "", "ab"},
	} {
		var s textStream
		for range 2 { // and once more with the same buffers
			s.reset(c.stops)
			text, stop := push(t, &s, c.pieces)
			if text != c.want || stop != c.stop {
				t.Errorf("%s: %q, stop %q; want %q, %q", name, text, stop, c.want, c.stop)
			}
			if all, allStop := shown(strings.Join(c.pieces, ""), c.stops); all != c.want || allStop != c.stop {
				t.Errorf("%s: the reference has %q, stop %q", name, all, allStop)
			}
		}
	}
}

// push puts pieces through a stream and checks that each text is UTF-8.
func push(t *testing.T, s *textStream, pieces []string) (text, stop string) {
	var texts []string
	for _, p := range pieces {
		var more string
		more, stop = s.push([]byte(p))
		texts = append(texts, more)
		if stop != "" {
			break
		}
	}
	if stop == "" {
		texts = append(texts, s.flush())
	}
	for _, text := range texts { // at the end: what was given out must not change
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
	}
	return strings.Join(texts, ""), stop
}

// FuzzTextStream: however the bytes are cut into pieces, what is shown is what is shown of them at once.
func FuzzTextStream(f *testing.F) {
	f.Add("one END two", "END", "D t", uint64(3))
	f.Add("a😀b\xff\xf0\x9f", "\x98\x80", "b", uint64(1))
	f.Add(strings.Repeat("aab", 20), "aaaab", "baabaab", uint64(77))
	f.Add("\u20ac\xe2\x82", "\xac", "", uint64(0))
	f.Fuzz(func(t *testing.T, all, stop1, stop2 string, cuts uint64) {
		if len(all) > 4096 {
			return
		}
		var stops []string
		for _, s := range []string{stop1, stop2} {
			if s != "" {
				stops = append(stops, s)
			}
		}
		var pieces []string
		for rest := all; rest != ""; {
			n := min(1+int(cuts%5), len(rest))
			cuts = cuts>>3 | cuts<<61
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		var s textStream
		s.reset(stops)
		text, stop := push(t, &s, pieces)
		if want, wantStop := shown(all, stops); text != want || stop != wantStop {
			t.Errorf("%q in %q, stops %q: %q, stop %q; want %q, %q", all, pieces, stops, text, stop, want, wantStop)
		}
	})
}
