package grammar

import "testing"

func TestParts(t *testing.T) {
	list := NewRule("list")
	list.Define(Sequence(Literal("("), Optional(Sequence(OneOf(Literal("x"), list.Part()), Repeat(Sequence(Literal(","), OneOf(Literal("x"), list.Part())), 0, 2))), Literal(")")))
	for _, test := range []struct {
		part Part
		yes  []string
		no   []string
	}{
		{Sequence(Literal("a"), Part{}, OneOf(Literal("b"), Literal("bc"))), []string{"ab", "abc"}, []string{"a", "abcc", ""}},
		{Repeat(Literal("ab"), 2, 3), []string{"abab", "ababab"}, []string{"ab", "abababab", "aba"}},
		{Repeat(Regexp("[0-9]"), 1, Unbounded), []string{"1", "123456789"}, []string{"", "x"}},
		{Sequence(Text(), Literal("!")), []string{"!", "a!b!"}, []string{"a"}},
		{Sequence(Literal("v="), Schema([]byte(`{"type":"integer"}`), Options{}), Literal(";")), []string{"v=12;"}, []string{"v=12", "v=x;"}},
		{list.Part(), []string{"()", "(x)", "(x,(x,()),x)"}, []string{"(x,x,x,x)", "(", "(,)"}},
	} {
		g, err := Compile(test.part)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range test.yes {
			if ok, at, why := Match(g, text); !ok {
				t.Errorf("%q refused at %d: %s", text, at, why)
			}
		}
		for _, text := range test.no {
			if ok, _, _ := Match(g, text); ok {
				t.Errorf("%q accepted", text)
			}
		}
	}
	loop := NewRule("loop")
	loop.Define(Optional(loop.Part()))
	for _, part := range []Part{loop.Part(), NewRule("missing").Part(), Repeat(Literal("a"), 3, 2)} {
		if _, err := Compile(part); err == nil {
			t.Error("compiled, want an error")
		}
	}
}

func TestRewind(t *testing.T) {
	g, err := Compile(Repeat(OneOf(Literal("a"), Literal("bc")), 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(g, smallVocabulary(), nil)
	for _, b := range "abca" {
		if err := m.Accept(b); err != nil {
			t.Fatal(err)
		}
	}
	if !m.Complete() || m.Accept('c') == nil {
		t.Fatal("the text abca is complete and c may not follow")
	}
	if err := m.Rewind(2); err != nil || m.Complete() || m.Accept('a') == nil {
		t.Fatal("after ab only c may come", err)
	}
	for _, b := range "cbcbc" {
		if err := m.Accept(b); err != nil {
			t.Fatal(err)
		}
	}
	if !m.Done() || m.Rewind(8) == nil {
		t.Fatal("four repetitions are written; seven tokens can be taken back")
	}
}
