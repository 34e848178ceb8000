package agent

import (
	"context"
	"encoding/json"

	"github.com/drover-ai/drover/tools"
)

// Policy says whether a call needs approval before it runs, and why. It must not block. An empty reason means no approval
// is needed.
type Policy func(tool tools.Tool, arguments json.RawMessage) (reason string)

// DefaultPolicy asks for approval of every tool that writes or reaches the network, and so of every tool that does not
// declare its effects (see [tools.EffectsOf]), and of no other.
func DefaultPolicy(tool tools.Tool, _ json.RawMessage) string {
	switch effects := tools.EffectsOf(tool); {
	case effects.Has(tools.Writes) && effects.Has(tools.Network):
		return "it changes things and reaches the network"
	case effects.Has(tools.Writes):
		return "it changes things"
	case effects.Has(tools.Network):
		return "it reaches the network"
	}
	return ""
}

// ApproveAll is a [Policy] under which nothing needs approval.
func ApproveAll(tools.Tool, json.RawMessage) string { return "" }

// ApprovalRequest is what an [Approver] decides about.
type ApprovalRequest struct {
	ID        string
	Tool      tools.Tool
	Name      string
	Arguments json.RawMessage
	Reason    string // why the policy asks
	// Again says that the call was interrupted and may have run already: to approve it is to risk that it happens twice.
	Again bool
}

// Decision is an approver's answer.
type Decision struct {
	Approved bool
	// Note is told to the model with a denial, such as "use the test database".
	Note string
}

// Approver decides about one call. It may block until a person answers; it must return when ctx ends. The run asks for
// one call at a time. An error ends the run; with a session, the turn can then be resumed later, and the question is asked
// again.
type Approver func(ctx context.Context, req ApprovalRequest) (Decision, error)
