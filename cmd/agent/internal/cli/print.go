package cli

import (
	"encoding/json"
	"fmt"
	"io"
)

// printJSON prints one value as JSON on one line, without HTML escapes.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}
