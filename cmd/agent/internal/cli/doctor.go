package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/simd"
)

// diagnosis is what `doctor --json` prints.
type diagnosis struct {
	Version   string      `json:"version"`
	Go        string      `json:"go"`
	Platform  string      `json:"platform"`
	Features  []string    `json:"cpu_features"`
	Kernel    string      `json:"kernel"`
	Kernels   []string    `json:"kernels"`
	Threads   int         `json:"threads"`
	Memory    int64       `json:"memory_bytes"`           // 0: the system does not say
	Available int64       `json:"memory_available_bytes"` // 0: the system does not say
	Caches    []cache     `json:"caches"`
	Embedded  int         `json:"embedded_model_bytes"`
	Config    fileFinding `json:"configuration"`
	Sessions  fileFinding `json:"sessions"`
	Problems  []string    `json:"problems"`
}

// fileFinding is a file that may be there.
type fileFinding struct {
	Path  string `json:"path"`
	Found bool   `json:"found"`
	Bytes int64  `json:"bytes"`
}

func (f fileFinding) String() string {
	switch {
	case f.Path == "":
		return "none"
	case !f.Found:
		return f.Path + " (not there)"
	}
	return fmt.Sprintf("%s (%s)", f.Path, size(f.Bytes))
}

func newDoctor(s Streams) *cobra.Command {
	var asJSON bool
	var defaults error // a broken configuration is a finding here, not the end
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine offers, and what is wrong",
		Example: `  agent doctor
  DROVER_SIMD=go agent doctor --json`,
		Args: noArguments,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			defaults = applyDefaults(cmd, args)
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			d := diagnose()
			if defaults != nil {
				d.Problems = append(d.Problems, defaults.Error())
			}
			if asJSON {
				return printJSON(s.Out, d)
			}
			d.print(s.Out)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// print writes the diagnosis for a person. Errors of writing are kept by [output].
func (d *diagnosis) print(w io.Writer) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("agent", "%s (%s, %s)", d.Version, d.Go, d.Platform)
	if len(d.Features) > 0 {
		row("cpu", "%s", strings.Join(d.Features, " "))
	}
	row("kernels", "%s (this CPU can run: %s)", d.Kernel, strings.Join(d.Kernels, ", "))
	row("threads", "%d", d.Threads)
	if d.Memory > 0 {
		row("memory", "%s, %s available", size(d.Memory), size(d.Available))
	}
	if len(d.Caches) > 0 {
		var list []string
		for _, c := range d.Caches {
			list = append(list, fmt.Sprintf("L%d %s", c.Level, size(c.Bytes)))
		}
		row("caches", "%s", strings.Join(list, ", "))
	}
	row("model", "built in, %s", size(int64(d.Embedded)))
	row("config", "%v", d.Config)
	row("sessions", "%v", d.Sessions)
	for _, problem := range d.Problems {
		row("problem", "%s", problem)
	}
	if len(d.Problems) == 0 {
		fmt.Fprintln(w, "no problems found")
	}
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
		Version: buildVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Features: cpuFeatures(),
		Kernel: simd.Variant(), Kernels: simd.Variants(), Caches: cpuCaches(), Embedded: tiny.Size(), Problems: []string{},
	}
	d.Memory, d.Available = machineMemory()
	model, err := tiny.Open()
	if err != nil {
		d.problem(err)
	} else {
		d.Threads = model.Threads()
		model.Close()
	}
	if want := os.Getenv("DROVER_SIMD"); want != "" && want != d.Kernel {
		d.problem(fmt.Errorf("DROVER_SIMD asks for the kernels %q, which this CPU does not have; it has %s", want, strings.Join(d.Kernels, ", ")))
	} else if want == "" && d.Kernel == "go" {
		d.problem(errors.New("there are no fast kernels for this CPU: models run, but slowly"))
	}
	if path, _ := configurationPath(); path != "" {
		d.Config = d.find(path, os.O_RDONLY)
	}
	store, err := sessions.DefaultPath()
	if err != nil {
		d.problem(err)
	} else {
		d.Sessions = d.find(store, os.O_RDWR)
	}
	return d
}

func (d *diagnosis) problem(err error) { d.Problems = append(d.Problems, err.Error()) }

// find looks for a file and tries to open it as it will be used.
func (d *diagnosis) find(path string, mode int) fileFinding {
	found := fileFinding{Path: path}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return found
	}
	if err != nil {
		d.problem(err)
		return found
	}
	found.Found, found.Bytes = true, info.Size()
	file, err := os.OpenFile(path, mode, 0)
	if err != nil {
		d.problem(err)
		return found
	}
	file.Close()
	return found
}
