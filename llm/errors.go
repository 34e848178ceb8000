package llm

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by a closed [Session], and by every session of a closed [Model].
var ErrClosed = errors.New("the model or session is closed")

// ErrEmptyPrompt is returned when there is no token to compute logits from.
var ErrEmptyPrompt = errors.New("the prompt is empty: at least one token is needed, as a rule <|begin_of_text|>")

// ErrBusy is returned when a second goroutine uses a [Session] that is computing. Fork it, or open
// another session: a model serves any number of them.
var ErrBusy = errors.New("the session is in use by another goroutine; fork it or open another session")

// ContextLengthError is returned when tokens do not fit into the context. The session is unchanged.
type ContextLengthError struct {
	Tokens        int // the session's tokens, if the new ones had been added
	ContextLength int // what the session holds at most
}

func (e *ContextLengthError) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, the context holds %d; shorten the prompt or raise the context length",
		e.Tokens, e.ContextLength)
}

// TokenError is returned for a token id that the vocabulary does not have.
type TokenError struct {
	Token     Token
	Index     int // where it stands among the tokens given
	VocabSize int
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("token %d at index %d is not in the vocabulary of %d tokens", e.Token, e.Index, e.VocabSize)
}

// ArchitectureError is returned by [Open] and [Load] for a checkpoint of another architecture than Llama's.
type ArchitectureError struct {
	File string
	Got  string
}

func (e *ArchitectureError) Error() string {
	return fmt.Sprintf(`%s: general.architecture is %q, only "llama" is supported`, e.File, e.Got)
}

// ConfigError names the metadata key that does not make a model.
type ConfigError struct {
	File   string
	Key    string
	Offset int64 // of its value in the file; 0 if the key is missing
	Err    error
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("%s: key %s: %v%s", e.File, e.Key, e.Err, atByte(e.Offset))
}
func (e *ConfigError) Unwrap() error { return e.Err }

// TensorError names the tensor that is missing or has the wrong shape or type.
type TensorError struct {
	File   string
	Tensor string
	Offset int64 // of its data in the file; 0 if it is missing
	Err    error
}

func (e *TensorError) Error() string {
	return fmt.Sprintf("%s: tensor %s: %v%s", e.File, e.Tensor, e.Err, atByte(e.Offset))
}
func (e *TensorError) Unwrap() error { return e.Err }

func atByte(offset int64) string {
	if offset == 0 {
		return ""
	}
	return fmt.Sprintf(" (at byte %d)", offset)
}
