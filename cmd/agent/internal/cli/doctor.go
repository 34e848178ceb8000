package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/simd"
)

// diagnosis is what `doctor --json` prints.
type diagnosis struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	Kernel   string   `json:"kernel"`
	Kernels  []string `json:"kernels"`
	Threads  int      `json:"threads"`
	Embedded int      `json:"embedded_model_bytes"`
	Problems []string `json:"problems"`
}

func newDoctor(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine offers, and what is wrong",
		Example: `  agent doctor
  DROVER_SIMD=go agent doctor --json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			d := diagnose()
			if asJSON {
				return printJSON(s.Out, d)
			}
			fmt.Fprintf(s.Out, "%-9s %s (%s, %s)\n", "agent", d.Version, d.Go, d.Platform)
			fmt.Fprintf(s.Out, "%-9s %s (this CPU can run: %s)\n", "kernels", d.Kernel, strings.Join(d.Kernels, ", "))
			fmt.Fprintf(s.Out, "%-9s %d\n", "threads", d.Threads)
			fmt.Fprintf(s.Out, "%-9s built in, %s\n", "model", size(int64(d.Embedded)))
			for _, problem := range d.Problems {
				fmt.Fprintf(s.Out, "problem   %s\n", problem)
			}
			if len(d.Problems) == 0 {
				fmt.Fprintln(s.Out, "no problems found")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// buildVersion is the version that the program was built from.
func buildVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		return build.Main.Version
	}
	return "(unknown)"
}

func diagnose() diagnosis {
	d := diagnosis{
		Version: buildVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: simd.Variant(), Kernels: simd.Variants(), Embedded: tiny.Size(), Problems: []string{},
	}
	model, err := tiny.Open()
	if err != nil {
		d.Problems = append(d.Problems, err.Error())
	} else {
		d.Threads = model.Threads()
		model.Close()
	}
	if want := os.Getenv("DROVER_SIMD"); want != "" && want != d.Kernel {
		d.Problems = append(d.Problems, fmt.Sprintf("DROVER_SIMD asks for the kernels %q, which this CPU does not have; it has %s", want, strings.Join(d.Kernels, ", ")))
	} else if want == "" && d.Kernel == "go" {
		d.Problems = append(d.Problems, "there are no fast kernels for this CPU: models run, but slowly")
	}
	return d
}
