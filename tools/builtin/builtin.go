package builtin

import (
	"os"

	"github.com/drover-ai/drover/tools"
)

// All returns the tools that change nothing and reach no network: calculator, now, convert_units, list_files and read_file, in this order. root is the
// folder that the file tools see; it must stay open as long as they are used.
func All(root *os.Root) []tools.Tool {
	return []tools.Tool{Calculator(), Now(nil), ConvertUnits(), ListFiles(root), ReadFile(root)}
}
