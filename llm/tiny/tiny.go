package tiny

import (
	_ "embed"
	"fmt"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
)

// Name is what the command line and results call the embedded model.
const Name = "embedded"

//go:embed model.gguf
var file []byte

// Open loads the embedded model, in a few milliseconds. Programs that start many agents should load it once and share it.
// An error means that the program was built from a damaged file.
func Open(options ...llm.Option) (*llm.Model, error) {
	f, err := gguf.Parse(Name, file)
	if err != nil {
		return nil, fmt.Errorf("embedded model: %w", err)
	}
	m, err := llm.Load(f, options...)
	if err != nil {
		return nil, fmt.Errorf("embedded model: %w", err)
	}
	return m, nil
}

// Size is the number of bytes that the model adds to a program.
func Size() int { return len(file) }
