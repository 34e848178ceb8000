package langchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

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

// providerError gives the error of a provider the code that langchaingo has for its HTTP status, which most providers only
// write into the text. Errors without one stay as they are.
func providerError(name string, err error) error {
	var (
		already *llms.Error
		network *net.OpError
	)
	if errors.As(err, &already) {
		return err
	}
	code := statusCode(err.Error())
	switch {
	case code != "":
	case strings.HasPrefix(err.Error(), "request timeout"): // the OpenAI provider's words, under which it hides the cause
		code = llms.ErrCodeTimeout
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.HasPrefix(err.Error(), "network error"):
		code = llms.ErrCodeProviderUnavailable
	default:
		return err
	}
	return llms.NewError(code, name, err.Error()).WithCause(err)
}

// statusCode is the code of the status in a provider's words, "" if there is none.
func statusCode(text string) llms.ErrorCode {
	text = strings.ToLower(text)
	_, rest, ok := strings.Cut(text, "status code: ")
	if !ok || len(rest) < 3 {
		return ""
	}
	status, err := strconv.Atoi(rest[:3])
	switch {
	case err != nil:
		return ""
	case strings.Contains(rest, "context length"):
		return llms.ErrCodeTokenLimit
	case status == 401, status == 403:
		return llms.ErrCodeAuthentication
	case status == 404:
		return llms.ErrCodeResourceNotFound
	case status == 408, status == 504:
		return llms.ErrCodeTimeout
	case status == 413:
		return llms.ErrCodeTokenLimit
	case status == 429:
		return llms.ErrCodeRateLimit
	case status >= 500:
		return llms.ErrCodeProviderUnavailable
	case status >= 400:
		return llms.ErrCodeInvalidRequest
	}
	return ""
}
