package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
)

// modelFlags are the flags of commands that run a model.
type modelFlags struct {
	name    string
	runtime runtimeFlags
}

// What a flag may ask for: the bounds of the runtime, which refuses more.
const (
	maxThreads       = 1024
	maxContextLength = 1 << 24
)

// runtimeFlags say how a model is run.
type runtimeFlags struct {
	threads int
	length  int
}

func (f *modelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.name, "model", "m", tiny.Name, `the model: "embedded", or a GGUF file`)
	f.runtime.add(cmd)
}

func (f *runtimeFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.threads, "threads", 0, "threads that compute (default: as many as this process may use)")
	cmd.Flags().IntVar(&f.length, "context-length", 0, "tokens that a conversation may have (default: the model's)")
}

// open loads a model by its name.
func (f *runtimeFlags) open(name string) (model *llm.Model, closeModel func(), err error) {
	var options []llm.Option
	if f.threads < 0 || f.threads > maxThreads {
		return nil, nil, misused("--threads is %d; want 1 to %d", f.threads, maxThreads)
	}
	if f.threads > 0 {
		options = append(options, llm.Threads(f.threads))
	}
	if f.length < 0 || f.length > maxContextLength {
		return nil, nil, misused("--context-length is %d; want 1 to %d", f.length, maxContextLength)
	}
	if f.length > 0 {
		options = append(options, llm.ContextLength(f.length))
	}
	if name == tiny.Name || name == "" {
		model, err = tiny.Open(options...)
	} else if model, err = llm.Open(name, options...); err != nil {
		err = explain(name, err)
	}
	if err != nil {
		return nil, nil, err
	}
	return model, func() { model.Close() }, nil
}

// explain adds what to do to the errors that a wrong name gives.
func explain(name string, err error) error {
	if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
		return fmt.Errorf("model %s is a folder; name the GGUF file in it", name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		hint := `name a GGUF file, or use "embedded"`
		if strings.HasPrefix(name, "openai:") {
			hint = "models behind a network address are not among the supported kinds: " + hint
		}
		return fmt.Errorf("model %q: there is no such file; %s", name, hint)
	}
	return fmt.Errorf("model %w", err)
}

// looseTools lets strangers' tools be called whose schemas cannot be enforced in full: the registry checks the arguments.
func looseTools(log *slog.Logger) chat.Option {
	return chat.WithLooseTools(func(tool string, pointers []string) {
		log.Warn("a part of the tool's schema is not enforced while a call is written, and checked afterwards", "tool", tool, "part", pointers)
	})
}

// openChat loads the model that was asked for, for conversations.
func (f *modelFlags) openChat(options ...chat.Option) (*chat.Model, func(), error) {
	model, closeModel, err := f.runtime.open(f.name)
	if err != nil {
		return nil, nil, err
	}
	chatModel, err := chat.New(model, options...)
	if err != nil {
		closeModel()
		return nil, nil, err
	}
	return chatModel, func() { chatModel.Close(); closeModel() }, nil
}
