package prompts

import "encoding/json"

// WithSchema tells a model that cannot be held to a JSON Schema in which form to answer.
func WithSchema(prompt string, schema json.RawMessage) string {
	return prompt + "\n\nAnswer with one JSON object and nothing else. It must match this JSON Schema:\n" + string(schema)
}

// RepairAnswer asks for an answer again that did not match its schema.
func RepairAnswer(problem error) string {
	return "That answer does not match the schema: " + problem.Error() +
		". Write it again as one JSON object that does, and nothing else."
}
