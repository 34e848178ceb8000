// Package cut bounds what tools hand back, in one way for all of them.
package cut

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text makes content fit to be shown: at most limit bytes of it (0: no limit), cut between characters and followed by a
// note about the rest, and valid UTF-8. missing is how many bytes of content are not there.
func Text(content string, limit int) (text string, missing int) {
	if limit > 0 && len(content) > limit {
		shown := limit
		for shown > 0 && limit-shown < utf8.UTFMax && !utf8.RuneStart(content[shown]) {
			shown--
		}
		missing = len(content) - shown
		// The copy lets go of what may be a very large string.
		content = fmt.Sprintf("%s\n[cut: the first %d of %d bytes]", strings.ToValidUTF8(content[:shown], "\uFFFD"), shown, len(content))
	}
	return strings.ToValidUTF8(content, "\uFFFD"), missing
}
