package langchain

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/grammar"
)

// provider is how errors name this package.
const provider = "drover"

// refuse is the error of a request that cannot be honored.
func refuse(code llms.ErrorCode, format string, args ...any) *llms.Error {
	return llms.NewError(code, provider, fmt.Sprintf(format, args...))
}

// asError gives a model's error langchaingo's code. The error itself stays its cause.
func asError(err error) error {
	var (
		already  *llms.Error
		tooLong  *llm.ContextLengthError
		sampling *llm.SamplingError
		schema   *grammar.SchemaError
		tool     *chat.UnknownToolError
		empty    *llm.EmptyTextError
		config   *llm.ConfigError
	)
	code := llms.ErrCodeUnknown
	switch {
	case errors.As(err, &already):
		return err
	case errors.Is(err, context.Canceled):
		code = llms.ErrCodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		code = llms.ErrCodeTimeout
	case errors.As(err, &tooLong):
		code = llms.ErrCodeTokenLimit
	case errors.As(err, &sampling), errors.As(err, &schema), errors.As(err, &tool), errors.As(err, &empty):
		code = llms.ErrCodeInvalidRequest
	case errors.Is(err, errors.ErrUnsupported), errors.As(err, &config):
		code = llms.ErrCodeNotImplemented
	case errors.Is(err, llm.ErrClosed):
		code = llms.ErrCodeProviderUnavailable
	}
	return refuse(code, "%v", err).WithCause(err)
}
