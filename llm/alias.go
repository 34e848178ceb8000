package llm

import "unsafe"

// aliasString is a string over bytes that will never be written again. It saves an allocation for each token.
func aliasString(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
