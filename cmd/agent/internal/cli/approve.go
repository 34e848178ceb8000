package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/tools"
)

// terminalApprover asks a person at the terminal, or nobody: a script must never wait for an answer that cannot come.
func terminalApprover(s Streams) agent.Approver {
	in, ok := s.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return func(ctx context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
		if previewer, ok := tools.As[tools.Previewer](req.Tool); ok {
			if preview, err := previewer.Preview(ctx, req.Arguments); err == nil {
				fmt.Fprintln(s.Err, printable(preview))
			}
		}
		fmt.Fprintf(s.Err, "%s(%s): %s. Run it? Type yes, or what to do instead: ",
			printable(req.Name), arguments(req.Arguments), req.Reason)
		answer := make(chan string, 1)
		go func() { // ends with the line or with the process; reading a terminal cannot be interrupted
			line, _ := bufio.NewReader(in).ReadString('\n')
			answer <- strings.TrimSpace(line)
		}()
		select {
		case <-ctx.Done():
			return agent.Decision{}, ctx.Err()
		case line := <-answer:
			if strings.EqualFold(line, "yes") || strings.EqualFold(line, "y") {
				return agent.Decision{Approved: true}, nil
			}
			return agent.Decision{Note: line}, nil
		}
	}
}
