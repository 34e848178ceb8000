package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// Token is a token's id.
type Token = int32

// Tokenizer turns text into tokens and back. It is immutable and safe for concurrent use.
type Tokenizer struct {
	pieces  [][]byte         // by id; nil for special tokens
	names   map[Token]string // of special tokens
	special map[string]Token
	lengths []int // of special tokens' names in bytes, longest first
	ranks   *table
	bytes   [256]Token // the tokens of single bytes; -1 if there is none
	stops   []Token
	starts  [256]bool // bytes with which special tokens begin
}

// Vocabulary is what a tokenizer is made of. An id is the index in Pieces.
type Vocabulary struct {
	Pieces  []string // raw bytes of ordinary tokens, names of special ones
	Special []bool   // same length
}

// maxSpecialName bounds the bytes of a special token's name, so that looking for names in a prompt stays cheap. Llama 3's have
// at most 33.
const maxSpecialName = 256

// New makes a tokenizer. Ordinary tokens are ranked by their ids: of two possible merges the one whose result has the
// lower id comes first.
func New(v Vocabulary) (*Tokenizer, error) {
	if len(v.Pieces) != len(v.Special) {
		return nil, fmt.Errorf("vocabulary: %d tokens, but %d of them are said to be special or not", len(v.Pieces), len(v.Special))
	}
	t := &Tokenizer{
		pieces: make([][]byte, len(v.Pieces)), names: map[Token]string{}, special: map[string]Token{},
	}
	for i := range t.bytes {
		t.bytes[i] = -1
	}
	for i, piece := range v.Pieces {
		id := Token(i)
		if piece == "" {
			return nil, fmt.Errorf("vocabulary: token %d is empty", i)
		}
		if v.Special[i] {
			if _, twice := t.special[piece]; twice {
				return nil, fmt.Errorf("vocabulary: special token %q is there twice", piece)
			}
			t.names[id], t.special[piece] = piece, id
			if len(piece) > maxSpecialName {
				return nil, fmt.Errorf("vocabulary: the name of special token %d has %d bytes, want at most %d", i, len(piece), maxSpecialName)
			}
			if !slices.Contains(t.lengths, len(piece)) {
				t.lengths = append(t.lengths, len(piece))
			}
			t.starts[piece[0]] = true
			continue
		}
		t.pieces[i] = unsafe.Slice(unsafe.StringData(piece), len(piece)) // never written to; see Piece
		if len(piece) == 1 && t.bytes[piece[0]] < 0 {
			t.bytes[piece[0]] = id
		}
	}
	t.ranks = newTable(t.pieces)
	for i, piece := range t.pieces { // of two tokens with the same bytes the first has the lower rank and always wins
		if len(piece) > 0 {
			t.ranks.add(v.Pieces[i], Token(i))
		}
	}
	for b, id := range t.bytes {
		if id < 0 {
			return nil, fmt.Errorf("vocabulary: no token for the single byte 0x%02x; a byte-level vocabulary has all 256", b)
		}
	}
	for _, name := range []string{"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"} {
		if id, ok := t.special[name]; ok {
			t.stops = append(t.stops, id)
		}
	}
	slices.Sort(t.stops)
	slices.SortFunc(t.lengths, func(a, b int) int { return b - a })
	return t, nil
}

// VocabSize is the number of tokens, special ones included.
func (t *Tokenizer) VocabSize() int { return len(t.pieces) }

// Special finds a special token by its name, such as "<|eot_id|>".
func (t *Tokenizer) Special(name string) (Token, bool) {
	id, ok := t.special[name]
	return id, ok
}

// IsSpecial reports whether id is a special token.
func (t *Tokenizer) IsSpecial(id Token) bool {
	_, ok := t.names[id]
	return ok
}

// SpecialName is the name of a special token, "" of others.
func (t *Tokenizer) SpecialName(id Token) string { return t.names[id] }

// StopTokens are the tokens that end a message: end of text, of message, of turn; those that the vocabulary has.
func (t *Tokenizer) StopTokens() []Token { return t.stops }

// Piece is a token's bytes; nil for special tokens and ids that there are not. It must not be changed.
func (t *Tokenizer) Piece(id Token) []byte {
	if id < 0 || int(id) >= len(t.pieces) {
		return nil
	}
	return t.pieces[id]
}

// Decode appends the bytes of tokens to dst. Special tokens have none.
func (t *Tokenizer) Decode(dst []byte, ids []Token) []byte {
	for _, id := range ids {
		dst = append(dst, t.Piece(id)...)
	}
	return dst
}

// Encode appends the tokens of text to dst. What looks like a special token is text like any other.
func (t *Tokenizer) Encode(dst []Token, text string) []Token {
	for len(text) > 0 {
		n := next(text)
		dst = t.piece(dst, text[:n])
		text = text[n:]
	}
	return dst
}

// EncodeSpecial is [Tokenizer.Encode], but names of special tokens become these tokens. Only for text that nobody else had
// a hand in.
func (t *Tokenizer) EncodeSpecial(dst []Token, text string) []Token {
	return t.EncodeSegments(dst, func(yield func(string, bool) bool) { yield(text, true) })
}

// EncodeSegments encodes a prompt that is made of trusted and other segments. Special tokens are only recognized in trusted
// ones. Between special tokens the text is split as if it were one piece, whoever wrote its parts.
func (t *Tokenizer) EncodeSegments(dst []Token, segments func(yield func(text string, trusted bool) bool)) []Token {
	var run strings.Builder
	segments(func(text string, trusted bool) bool {
		if !trusted {
			run.WriteString(text)
			return true
		}
		for {
			at, id, n := t.findSpecial(text)
			if n == 0 {
				run.WriteString(text)
				return true
			}
			run.WriteString(text[:at])
			dst = t.Encode(dst, run.String())
			run.Reset()
			dst = append(dst, id)
			text = text[at+n:]
		}
	})
	return t.Encode(dst, run.String())
}

// findSpecial finds the first special token in text; n is 0 if there is none.
func (t *Tokenizer) findSpecial(text string) (at int, id Token, n int) {
	for at := range len(text) {
		if !t.starts[text[at]] {
			continue
		}
		for _, n := range t.lengths {
			if n > len(text)-at {
				continue
			}
			if id, ok := t.special[text[at:at+n]]; ok {
				return at, id, n
			}
		}
	}
	return 0, 0, 0
}
