package prompts

import _ "embed" // the text of the prompt

//go:embed templates/compaction.txt
var compactionText string

// Compaction is what a model is asked, as the user's last message, to write a summary of the conversation before it, which
// then stands in its place.
func Compaction() string { return compactionText }

// Summarized is the message that stands in the place of older ones: a summary of them, and the user's first request word
// for word, which a summary may lose.
func Summarized(request, summary string) string {
	text := "Summary of the conversation so far, written to save room:\n" + summary
	if request != "" {
		text += "\n\nThe first request was: " + request
	}
	return text
}
