package builtin

import (
	"context"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin/internal/arithmetic"
)

type calculatorInput struct {
	Expression string `json:"expression"`
}

// Calculator returns a tool that evaluates arithmetic with exact decimals: "17.5% of 2,340" is 409.5, 0.1 + 0.2 is 0.3. A
// percentage behind + or - is one of the value before it, as on a pocket calculator: 250 - 20% is 200. Errors say where in the
// expression they are.
func Calculator() tools.Tool {
	return tools.Must(tools.New("calculator",
		"Evaluate an arithmetic expression: + - * / ^, percentages, parentheses, sqrt and other functions.",
		func(ctx context.Context, in calculatorInput) (string, error) {
			return arithmetic.Evaluate(ctx, in.Expression)
		}, tools.WithEffects(tools.Pure)))
}
